//! What the guard has to be told about a schema beside its SDL: which fields exclude each other, what lists
//! and conditions cost, and which texts are values of its scalars.

/// The rules of one schema. Pages follow the GraphQL Cursor Connections Specification: the type of a
/// connection ends in `Connection`, and its arguments `first` and `last` are the size of a page.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    pub exclusive: ExclusiveFields,
    /// Items of a page whose size is not given.
    pub default_page_size: usize,
    /// Items of the largest page.
    pub max_page_size: usize,
    /// Items that a list is expected to have which is neither a page nor counted by an argument.
    pub unpaged_list_size: usize,
    /// Root fields of queries that give one item for each value in an argument, at most `max_page_size`.
    pub counted_lists: &'static [CountedList],
    pub search: SearchCondition,
    /// The scalars that GraphQL does not define itself.
    pub scalars: &'static [Scalar],
    /// Errors about values that are told at once.
    pub max_value_errors: usize,
}

/// Root fields of which an operation may have one.
#[derive(Clone, Copy, Debug, Default)]
pub struct ExclusiveFields {
    pub names: &'static [&'static str],
    /// What an error calls their number: "Number of sign-in fields".
    pub quantity: &'static str,
}

/// A root field of queries whose items are counted by the values in an argument.
#[derive(Clone, Copy, Debug)]
pub struct CountedList {
    pub field: &'static str,
    pub argument: &'static str,
}

/// A condition that makes a connection more expensive: a text that is searched for.
#[derive(Clone, Copy, Debug, Default)]
pub struct SearchCondition {
    /// The argument of connections that holds conditions.
    pub argument: &'static str,
    /// The field of an input, at any depth inside the argument, that holds the text.
    pub field: &'static str,
    /// The complexity that each text that is not blank adds.
    pub complexity: usize,
}

/// A scalar whose values are strings of a certain form.
#[derive(Clone, Copy, Debug)]
pub struct Scalar {
    pub name: &'static str,
    pub is_valid: fn(&str) -> bool,
    /// A valid value for the error message.
    pub example: &'static str,
}

impl SearchCondition {
    /// Whether a string in this field of an input is such a condition: a blank one is ignored.
    pub fn is_met_by(self, field: &str, text: &str) -> bool {
        field == self.field && !text.trim().is_empty()
    }
}

impl Policy {
    /// Whether the value of an argument of this name can decide what a field costs.
    pub fn is_costly(&self, argument: &str) -> bool {
        matches!(argument, "first" | "last")
            || argument == self.search.argument
            || self.counted_lists.iter().any(|list| list.argument == argument)
    }

    /// The scalar of this name.
    pub fn scalar(&self, name: &str) -> Option<&'static Scalar> {
        self.scalars.iter().find(|scalar| scalar.name == name)
    }
}
