//! The facts about a schema that its SDL does not say: which fields exclude each other, how many items its
//! lists have, what a text search costs, and which strings are valid for its scalars.

/// The facts about one schema. Its pages follow the GraphQL Cursor Connections Specification: the name of a
/// connection type ends in `Connection`, and the page size is the argument `first` or `last`.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    pub exclusive: ExclusiveFields,
    /// The names of further types that are pages.
    pub page_types: &'static [&'static str],
    /// Items on a page when the document gives no size.
    pub default_page_size: usize,
    /// Items on the largest page.
    pub max_page_size: usize,
    /// Items that the complexity assumes for every other list.
    pub unpaged_list_size: usize,
    /// Root fields of queries with one item for each value of an argument, at most `max_page_size`.
    pub counted_lists: &'static [CountedList],
    pub search: SearchCondition,
    /// Fields that cost more than one point.
    pub costly_fields: &'static [CostlyField],
    /// The scalars that GraphQL does not define itself.
    pub scalars: &'static [Scalar],
    /// The most errors about values that one request gets.
    pub max_value_errors: usize,
}

/// Root fields of which an operation may contain at most one.
#[derive(Clone, Copy, Debug, Default)]
pub struct ExclusiveFields {
    pub names: &'static [&'static str],
    /// The name of their number in the error message: "Number of credential fields".
    pub quantity: &'static str,
}

/// A root field of queries with one item for each value of an argument.
#[derive(Clone, Copy, Debug)]
pub struct CountedList {
    pub field: &'static str,
    pub argument: &'static str,
}

/// A text search, which makes a connection more expensive than its page size says.
#[derive(Clone, Copy, Debug, Default)]
pub struct SearchCondition {
    /// The argument of connections that contains the search texts.
    pub argument: &'static str,
    /// The input field, at any depth inside the argument, whose value is a search text.
    pub field: &'static str,
    /// The complexity that each search text adds to its connection.
    pub complexity: usize,
}

/// A field whose value takes much longer to compute than that of another one.
#[derive(Clone, Copy, Debug)]
pub struct CostlyField {
    pub types: &'static [&'static str],
    pub fields: &'static [&'static str],
    pub complexity: usize,
}

/// A custom scalar; its values are strings.
#[derive(Clone, Copy, Debug)]
pub struct Scalar {
    pub name: &'static str,
    pub is_valid: fn(&str) -> bool,
    /// A valid value, which the error message shows.
    pub example: &'static str,
}

impl SearchCondition {
    /// Whether a string in the input field `field` is a search text. Blank strings search for nothing.
    pub fn is_search_text(self, field: &str, text: &str) -> bool {
        field == self.field && !text.trim().is_empty()
    }
}

impl Policy {
    /// Whether a type is a page, whose size is the argument `first` or `last` of a field.
    pub fn is_page(&self, name: &str) -> bool {
        name.ends_with("Connection") || self.page_types.contains(&name)
    }

    /// Whether the complexity of a field can depend on the value of this argument.
    pub fn affects_complexity(&self, argument: &str) -> bool {
        matches!(argument, "first" | "last")
            || argument == self.search.argument
            || self.counted_lists.iter().any(|list| list.argument == argument)
    }

    /// The complexity of a field without its selections.
    pub fn complexity(&self, parent: &str, field: &str) -> usize {
        let costly = self.costly_fields.iter();
        let mut costly =
            costly.filter(|costly| costly.types.contains(&parent) && costly.fields.contains(&field));
        costly.next().map_or(1, |costly| costly.complexity)
    }

    /// The scalar of this name.
    pub fn scalar(&self, name: &str) -> Option<&'static Scalar> {
        self.scalars.iter().find(|scalar| scalar.name == name)
    }
}
