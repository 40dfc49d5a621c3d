//! Macros that derive the names of the schema from Rust's names, so that the name of a field is written once:
//! [`macro@DirectJson`] and [`field!`].

use proc_macro2::{Literal, TokenStream};
use quote::quote;
use syn::punctuated::Punctuated;
use syn::{
    Attribute, Data, DeriveInput, Error, Expr, ExprField, Field, Fields, Ident, Lit, LitStr, Member, Meta,
    Token, Variant,
};

/// `field!(self.due_at)` is `("dueAt", self.due_at)`: the name of an input's field in the schema, and its value.
#[proc_macro]
pub fn field(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let field = syn::parse_macro_input!(input as ExprField);
    let Member::Named(ident) = &field.member else {
        return Error::new_spanned(&field, "the field needs a name").into_compile_error().into();
    };
    let name = camel_case(&ident.to_string());
    quote!((#name, #field)).into()
}

/// Implements `DirectJson` of `crate::graphql::direct_json`. It reads the same `#[graphql(…)]` attributes as
/// async-graphql's own derives.
///
/// On a struct: implements `DirectJson`. Each field is written by its `WriteJson`, but for those with
/// `#[graphql(skip)]`. `#[direct_json(resolvers = "function")]` names a function of the type that returns the
/// writers of fields with resolvers, with the arguments and the result of `DirectJson::field_writer`.
///
/// On an enum: implements `WriteJson`, with the names that async-graphql gives the values.
#[proc_macro_derive(DirectJson, attributes(direct_json, graphql))]
pub fn derive_direct_json(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let input = syn::parse_macro_input!(input as DeriveInput);
    let implementation = match &input.data {
        Data::Struct(data) => implement_object(&input, &data.fields),
        Data::Enum(data) => implement_enum(&input.ident, data.variants.iter()),
        Data::Union(_) => Err(Error::new_spanned(&input.ident, "a union has no JSON form")),
    };
    implementation.unwrap_or_else(Error::into_compile_error).into()
}

fn implement_object(input: &DeriveInput, fields: &Fields) -> Result<TokenStream, Error> {
    let object = &input.ident;
    let arms = fields.iter().map(field_arm).collect::<Result<Vec<_>, _>>()?;
    let other = match option(&input.attrs, "direct_json", "resolvers")? {
        Some(function) => {
            let function: Ident = function.parse()?;
            quote!(Self::#function(field, ctx))
        }
        None => quote!(None),
    };
    Ok(quote! {
        impl crate::graphql::direct_json::DirectJson for #object {
            fn field_writer<'a>(
                field: &'a ::async_graphql::parser::types::Field,
                ctx: &'a ::async_graphql::ContextSelectionSet<'a>,
            ) -> Option<crate::graphql::direct_json::FieldWriter<'a, Self>> {
                match field.name.node.as_str() {
                    #(#arms)*
                    _ => #other,
                }
            }
        }
    })
}

/// The writer of one field; nothing for a field that is not part of the schema.
fn field_arm(field: &Field) -> Result<TokenStream, Error> {
    let ident = field.ident.as_ref().ok_or_else(|| Error::new_spanned(field, "fields need names"))?;
    if has_flag(&field.attrs, "graphql", "skip")? {
        return Ok(TokenStream::new());
    }
    let name = match option(&field.attrs, "graphql", "name")? {
        Some(name) => name.value(),
        None => camel_case(&ident.to_string()),
    };
    Ok(quote!(#name => crate::graphql::direct_json::scalar(|object: &Self| &object.#ident),))
}

fn implement_enum<'a>(
    ident: &Ident,
    variants: impl Iterator<Item = &'a Variant>,
) -> Result<TokenStream, Error> {
    let arm = |variant: &Variant| {
        let name = match option(&variant.attrs, "graphql", "name")? {
            Some(name) => name.value(),
            None => screaming_snake_case(&variant.ident.to_string()),
        };
        let (value, name) = (&variant.ident, Literal::byte_string(name.as_bytes()));
        Ok(quote!(Self::#value => #name,))
    };
    let arms = variants.map(arm).collect::<Result<Vec<_>, Error>>()?;
    Ok(quote! {
        impl crate::graphql::direct_json::write::WriteJson for #ident {
            fn write(&self, json: &mut Vec<u8>) {
                let name: &[u8] = match self { #(#arms)* };
                ::json_text::write_unescaped(name, json);
            }
        }
    })
}

/// The metas in the attributes `#[attribute(…)]`.
fn metas(attributes: &[Attribute], attribute: &str) -> Result<Vec<Meta>, Error> {
    let mut metas = Vec::new();
    for found in attributes.iter().filter(|found| found.path().is_ident(attribute)) {
        metas.extend(found.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)?);
    }
    Ok(metas)
}

fn has_flag(attributes: &[Attribute], attribute: &str, flag: &str) -> Result<bool, Error> {
    Ok(metas(attributes, attribute)?.iter().any(|meta| meta.path().is_ident(flag)))
}

/// The text of `#[attribute(key = "text")]`.
fn option(attributes: &[Attribute], attribute: &str, key: &str) -> Result<Option<LitStr>, Error> {
    for meta in metas(attributes, attribute)? {
        if let Meta::NameValue(pair) = &meta
            && pair.path.is_ident(key)
            && let Expr::Lit(value) = &pair.value
            && let Lit::Str(text) = &value.lit
        {
            return Ok(Some(text.clone()));
        }
    }
    Ok(None)
}

/// `due_at` becomes `dueAt`.
fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let (initial, rest) = word.split_at(word.len().min(1));
        name + &initial.to_ascii_uppercase() + rest
    })
}

/// `InProgress` becomes `IN_PROGRESS`.
fn screaming_snake_case(name: &str) -> String {
    let mut text = String::new();
    for (index, letter) in name.chars().enumerate() {
        if index > 0 && letter.is_ascii_uppercase() {
            text.push('_');
        }
        text.push(letter.to_ascii_uppercase());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_and_values_have_the_names_of_the_schema() {
        assert_eq!(camel_case("title"), "title");
        assert_eq!(camel_case("has_next_page"), "hasNextPage");
        assert_eq!(screaming_snake_case("InProgress"), "IN_PROGRESS");
    }
}
