//! Reads a Rust file with the `syn` crate into plain facts: its imports, its functions and the text in it
//! that people read. It knows no rule.

use std::collections::BTreeMap;

use proc_macro2::{Delimiter, Ident, Span, TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{UseTree, Visibility};

use super::text::readable;

/// The name of a crate, then modules, then an item. It is absolute if it starts with a crate of ours;
/// otherwise it belongs to a library, or is a name that no rule mentions.
pub type ItemPath = Vec<String>;

#[derive(Default)]
pub struct SourceFile {
    /// The path from the root of the repository.
    pub path: String,
    /// The module that the file contains; empty for tests, benches and fuzz targets, which are not parsed.
    pub module: ItemPath,
    /// How many lines the module documentation at the start of the file has.
    pub header_lines: usize,
    /// The file with everything blanked except comments and, if it is parsed, string literals.
    pub prose: String,
    pub references: Vec<Reference>,
    /// The name, the line and the number of lines from `fn` to the closing brace.
    pub functions: Vec<(String, usize, usize)>,
    /// The modules in the file, each with the names that it declares as a module or imports, as it writes
    /// them.
    pub names: BTreeMap<ItemPath, BTreeMap<String, ItemPath>>,
}

/// A path to an item, anywhere in the code of a file.
pub struct Reference {
    pub path: ItemPath,
    /// The module where it is written.
    pub module: ItemPath,
    pub line: usize,
    pub kind: Kind,
    /// Whether it is in a `#[cfg(test)]` module.
    pub in_unit_test: bool,
}

#[derive(Clone, Copy, PartialEq)]
pub enum Kind {
    Import,
    /// A `use` that is not private, which makes the item a part of this module too.
    ReExport,
    /// A path in an expression, a type, an attribute or the tokens of a macro.
    Mention,
}

impl SourceFile {
    pub fn parse(path: &str, text: &str) -> Self {
        let module = module_of(path);
        let header_lines = text.lines().take_while(|line| line.starts_with("//!")).count();
        let prose = readable(text, !module.is_empty());
        let file = Self { path: path.to_owned(), header_lines, prose, ..Self::default() };
        let mut reader = Reader { file, module, in_unit_test: false, signature: None };
        if !reader.module.is_empty() {
            reader.file.names.entry(reader.module.clone()).or_default();
            reader.visit_file(&syn::parse_file(text).unwrap_or_else(|error| panic!("{path}: {error}")));
        }
        let references = std::mem::take(&mut reader.file.references).into_iter();
        let references = references.filter_map(|found| reader.file.resolve(found)).collect();
        Self { references, module: reader.module, ..reader.file }
    }

    /// The layer of the file: its module directly below the root of `src`, or the name of its crate.
    pub fn layer(&self) -> &str {
        layer(&self.module).unwrap_or("lib")
    }

    /// Makes a path absolute. A name alone counts only if the file imports it: it may be a variable.
    fn resolve(&self, found: Reference) -> Option<Reference> {
        let path = self.absolute(&found.module, &found.path, 0);
        let own = path.len() == 1 || path.len() == found.module.len() + 1 && path.starts_with(&found.module);
        let variable = own && found.path.len() == 1 && found.kind == Kind::Mention;
        (!variable).then_some(Reference { path, ..found })
    }

    /// The absolute path of a path that is written in a module of the file.
    pub fn absolute(&self, module: &[String], path: &[String], depth: usize) -> ItemPath {
        let Some((first, rest)) = path.split_first() else { return module.to_vec() };
        let parent = &module[..module.len().saturating_sub(1)];
        let target =
            self.names.get(module).and_then(|names| names.get(first)).filter(|target| *target != path);
        match (first.as_str(), target) {
            ("crate", _) => [&module[..1], rest].concat(),
            ("self", _) => [module, rest].concat(),
            ("super", _) if rest.first().is_some_and(|next| next == "super") => {
                self.absolute(parent, rest, depth)
            }
            ("super", _) => [parent, rest].concat(),
            (_, Some(target)) if depth < 8 && target.first() != Some(first) => {
                self.absolute(module, &[target, rest].concat(), depth + 1)
            }
            (_, Some(target)) => [target, rest].concat(),
            (_, None) => path.to_vec(),
        }
    }
}

/// The layer that a path leads to; None for the root of the crate `taskhold` and for the empty path.
pub fn layer(path: &[String]) -> Option<&str> {
    let root = path.first()?;
    if root == "taskhold" { path.get(1).map(String::as_str) } else { Some(root) }
}

fn module_of(path: &str) -> ItemPath {
    let (name, below) = match path.split('/').collect::<Vec<_>>().as_slice() {
        ["src", below @ ..] => ("taskhold".to_owned(), below.to_vec()),
        ["migration", "src", below @ ..] => ("migration".to_owned(), below.to_vec()),
        ["crates", name, "src", below @ ..] => (name.replace('-', "_"), below.to_vec()),
        _ => return ItemPath::new(),
    };
    let below = below.into_iter().map(|part| part.trim_end_matches(".rs").to_owned());
    [name].into_iter().chain(below.filter(|part| part != "lib" && part != "mod")).collect()
}

struct Reader {
    file: SourceFile,
    /// The module that is being read.
    module: ItemPath,
    in_unit_test: bool,
    /// The name and the line of the function whose body comes next.
    signature: Option<(String, usize)>,
}

impl Reader {
    fn add(&mut self, path: ItemPath, span: Span, kind: Kind) {
        let (module, line, in_unit_test) = (self.module.clone(), span.start().line, self.in_unit_test);
        self.file.references.push(Reference { path, module, line, kind, in_unit_test });
    }

    fn add_name(&mut self, name: String, path: ItemPath) {
        self.file.names.entry(self.module.clone()).or_default().insert(name, path);
    }

    fn add_use(&mut self, tree: &UseTree, mut path: ItemPath, kind: Kind) {
        let mut add = |ident: &Ident, name: &Ident| {
            if ident != "self" {
                path.push(ident.to_string());
            }
            let name = if name == "self" { path.last().cloned() } else { Some(name.to_string()) };
            self.add_name(name.unwrap_or_default(), path.clone());
            self.add(path.clone(), ident.span(), kind);
        };
        match tree {
            UseTree::Name(name) => add(&name.ident, &name.ident),
            UseTree::Rename(rename) => add(&rename.ident, &rename.rename),
            UseTree::Glob(glob) => self.add(path, glob.star_token.spans[0], kind),
            UseTree::Group(group) => {
                group.items.iter().for_each(|tree| self.add_use(tree, path.clone(), kind));
            }
            UseTree::Path(tree) => {
                path.push(tree.ident.to_string());
                self.add_use(&tree.tree, path, kind);
            }
        }
    }

    /// Adds the paths among tokens that are not parsed: those of macros and attributes. `prefix` is the path
    /// before a group in braces, as in `use crate::{…}`.
    fn add_tokens(&mut self, tokens: TokenStream, prefix: &[String]) {
        let colons_at_start = if prefix.is_empty() { 0 } else { 2 };
        let (mut path, mut colons) = (prefix.to_vec(), colons_at_start);
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        path.clear();
                    } else if path.len() > prefix.len() {
                        self.file.references.pop(); // The path goes on.
                    }
                    (path, colons) = ([path, vec![ident.to_string()]].concat(), 0);
                    self.add(path.clone(), ident.span(), Kind::Mention);
                }
                TokenTree::Punct(colon) if colon.as_char() == ':' => colons += 1,
                TokenTree::Group(group) => {
                    let of_path = colons == 2 && group.delimiter() == Delimiter::Brace;
                    if of_path && path.len() > prefix.len() {
                        self.file.references.pop();
                    }
                    self.add_tokens(group.stream(), if of_path { &path } else { &[] });
                    (path, colons) = (ItemPath::new(), 0);
                }
                _ => (path, colons) = (prefix.to_vec(), colons_at_start),
            }
        }
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let private = matches!(item.vis, Visibility::Inherited);
        self.add_use(&item.tree, ItemPath::new(), if private { Kind::Import } else { Kind::ReExport });
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        let name = item.ident.to_string();
        let path = [self.module.as_slice(), std::slice::from_ref(&name)].concat();
        self.add_name(name, path.clone());
        if item.content.is_some() {
            self.file.names.entry(path.clone()).or_default();
            let outside = (std::mem::replace(&mut self.module, path), self.in_unit_test);
            self.in_unit_test |= item.attrs.iter().any(is_cfg_test);
            visit::visit_item_mod(self, item);
            (self.module, self.in_unit_test) = outside;
        }
    }

    fn visit_signature(&mut self, signature: &'ast syn::Signature) {
        self.signature = Some((signature.ident.to_string(), signature.fn_token.span.start().line));
        visit::visit_signature(self, signature);
    }

    fn visit_block(&mut self, block: &'ast syn::Block) {
        if let Some((name, line)) = self.signature.take() {
            let last = block.brace_token.span.close().end().line;
            self.file.functions.push((name, line, last + 1 - line));
        }
        visit::visit_block(self, block);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let written: ItemPath = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.add(written, path.segments[0].ident.span(), Kind::Mention);
        visit::visit_path(self, path);
    }

    /// The path in `pub(in crate::service)` is no import.
    fn visit_vis_restricted(&mut self, _: &'ast syn::VisRestricted) {}

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.add_tokens(call.tokens.clone(), &[]);
        visit::visit_macro(self, call);
    }

    fn visit_meta_list(&mut self, list: &'ast syn::MetaList) {
        self.add_tokens(list.tokens.clone(), &[]);
        visit::visit_meta_list(self, list);
    }
}

fn is_cfg_test(attribute: &syn::Attribute) -> bool {
    let list = attribute.meta.require_list();
    list.is_ok_and(|list| list.path.is_ident("cfg") && list.tokens.to_string() == "test")
}
