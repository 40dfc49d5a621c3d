//! Computes the cost of a parsed document in time linear in its length: each fragment is visited once.
//! The complexity of a field is 1 plus the complexity of its selection set; for a list the latter is
//! multiplied by the number of items, which the [`Policy`] defines. Each search text adds to its connection.
//! Introspection has no complexity; its selections and nested lists are counted.

use std::collections::HashMap;

use async_graphql_parser::Positioned;
use async_graphql_parser::types::{
    ExecutableDocument, Field, FragmentDefinition, OperationType, Selection, SelectionSet, VariableDefinition,
};
use async_graphql_value::{ConstValue as Value, Name, Value as Literal, Variables};

use crate::operation::root_type;
use crate::schema::{SchemaIndex, is_list, named_type};
use crate::{Error, Policy};

/// The cost of a selection set or of a whole document. All arithmetic saturates.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    pub selections: usize,
    pub depth: usize,
    pub complexity: usize,
    /// The bytes of all uses of variables: async-graphql copies a variable for each use.
    pub variable_use_bytes: usize,
    pub introspection_lists: usize,
}

impl Cost {
    /// The sum over the operations, or the cost of a fragment where that is higher.
    pub fn of(
        document: &ExecutableDocument,
        variables: &Variables,
        schema: &SchemaIndex,
        policy: &Policy,
    ) -> Result<Self, Error> {
        let mut visitor = CostVisitor::new(document, variables, schema, policy);
        let mut total = Self::default();
        for (_, operation) in document.operations.iter() {
            let root = root_type(operation.node.ty);
            total = total.add(visitor.selection_set(&operation.node.selection_set.node, root)?);
        }
        for (name, fragment) in &document.fragments {
            total = total.max(visitor.fragment(name, fragment)?);
        }
        Ok(total)
    }

    /// The cost of two selections of the same selection set.
    fn add(self, other: Self) -> Self {
        Self {
            selections: self.selections.saturating_add(other.selections),
            complexity: self.complexity.saturating_add(other.complexity),
            variable_use_bytes: self.variable_use_bytes.saturating_add(other.variable_use_bytes),
            ..self.max(other)
        }
    }

    /// The higher of each number.
    fn max(self, other: Self) -> Self {
        Self {
            selections: self.selections.max(other.selections),
            depth: self.depth.max(other.depth),
            complexity: self.complexity.max(other.complexity),
            variable_use_bytes: self.variable_use_bytes.max(other.variable_use_bytes),
            introspection_lists: self.introspection_lists.max(other.introspection_lists),
        }
    }

    /// The cost with one selection more.
    fn with_selection(self) -> Self {
        Self { selections: self.selections.saturating_add(1), ..self }
    }
}

struct CostVisitor<'a> {
    document: &'a ExecutableDocument,
    variables: &'a Variables,
    /// The default values of variables.
    defaults: HashMap<&'a Name, &'a Value>,
    schema: &'a SchemaIndex,
    policy: &'a Policy,
    /// The cost of each visited fragment; None while it is being visited, which finds cycles.
    fragment_costs: HashMap<&'a Name, Option<Cost>>,
    /// The number of search texts in each visited variable.
    search_counts: HashMap<Name, usize>,
    /// The bytes of each visited variable.
    variable_bytes: HashMap<Name, usize>,
}

impl<'a> CostVisitor<'a> {
    fn new(
        document: &'a ExecutableDocument,
        variables: &'a Variables,
        schema: &'a SchemaIndex,
        policy: &'a Policy,
    ) -> Self {
        let operations = document.operations.iter();
        let definitions = operations.flat_map(|(_, operation)| &operation.node.variable_definitions);
        let default = |definition: &'a Positioned<VariableDefinition>| {
            Some((&definition.node.name.node, &definition.node.default_value.as_ref()?.node))
        };
        let defaults = definitions.filter_map(default).collect();
        Self {
            document,
            variables,
            defaults,
            schema,
            policy,
            fragment_costs: HashMap::new(),
            search_counts: HashMap::new(),
            variable_bytes: HashMap::new(),
        }
    }

    fn selection_set(&mut self, set: &'a SelectionSet, parent: &str) -> Result<Cost, Error> {
        let mut total = Cost::default();
        for selection in &set.items {
            let cost = match &selection.node {
                Selection::Field(field) => self.field(&field.node, parent)?,
                Selection::InlineFragment(inline) => {
                    let condition = inline.node.type_condition.as_ref();
                    let parent = condition.map_or(parent, |condition| condition.node.on.node.as_str());
                    self.selection_set(&inline.node.selection_set.node, parent)?
                }
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    match self.document.fragments.get_key_value(name) {
                        Some((name, fragment)) => self.fragment(name, fragment)?,
                        // Validation by async-graphql reports unknown fragments.
                        None => Cost::default(),
                    }
                }
            };
            total = total.add(cost.with_selection());
        }
        Ok(total)
    }

    fn fragment(
        &mut self,
        name: &'a Name,
        fragment: &'a Positioned<FragmentDefinition>,
    ) -> Result<Cost, Error> {
        match self.fragment_costs.get(name) {
            Some(Some(cost)) => Ok(*cost),
            Some(None) => {
                let message = format!("The fragment \"{name}\" contains itself.");
                Err(Error::invalid(message))
            }
            None => {
                self.fragment_costs.insert(name, None);
                let parent = fragment.node.type_condition.node.on.node.as_str();
                let cost = self.selection_set(&fragment.node.selection_set.node, parent)?;
                self.fragment_costs.insert(name, Some(cost));
                Ok(cost)
            }
        }
    }

    fn field(&mut self, field: &'a Field, parent: &str) -> Result<Cost, Error> {
        let name = field.name.node.as_str();
        if parent.starts_with("__") || matches!(name, "__schema" | "__type") {
            return self.introspection(field, name);
        }
        let ty = self.schema.field(parent, name).map(|field| &field.ty);
        let child = ty.map_or("", |ty| named_type(ty).as_str());
        let children = self.selection_set(&field.selection_set.node, child)?;
        let times = match ty {
            _ if self.policy.is_page(child) => self.page_size(field),
            Some(ty) if is_list(ty) && !self.policy.is_page(parent) => self.list_size(field, parent),
            _ => 1,
        };
        let search = self.policy.search;
        let filter = field.get_argument(search.argument).filter(|_| child.ends_with("Connection"));
        let searches = filter.map_or(0, |filter| self.count_searches(search.argument, &filter.node));
        let own = searches.saturating_mul(search.complexity);
        let own = own.saturating_add(self.policy.complexity(parent, name));
        let variable_use_bytes = self.variable_uses(field);
        Ok(Cost {
            depth: children.depth.saturating_add(1),
            complexity: children.complexity.saturating_mul(times).saturating_add(own),
            variable_use_bytes: children
                .variable_use_bytes
                .saturating_mul(times)
                .saturating_add(variable_use_bytes),
            ..children
        })
    }

    fn introspection(&mut self, field: &'a Field, name: &str) -> Result<Cost, Error> {
        let children = self.selection_set(&field.selection_set.node, "__Type")?;
        let is_list = matches!(name, "fields" | "inputFields" | "interfaces" | "possibleTypes");
        Ok(Cost {
            introspection_lists: children.introspection_lists.saturating_add(is_list.into()),
            ..children
        })
    }

    /// The value of a variable, or its default.
    fn variable(&self, name: &Name) -> Option<&'a Value> {
        self.variables.get(name).or_else(|| self.defaults.get(name).copied())
    }

    /// The number of items of a list without pages.
    fn list_size(&self, field: &Field, parent: &str) -> usize {
        let counted = self.policy.counted_lists.iter().filter(|_| parent == root_type(OperationType::Query));
        match counted.into_iter().find(|list| field.name.node == list.field) {
            Some(list) => self.count_values(field, list.argument),
            None => self.policy.unpaged_list_size,
        }
    }

    /// The number of values in an argument. A resolver refuses more than the largest page.
    fn count_values(&self, field: &Field, argument: &str) -> usize {
        let count = match field.get_argument(argument).map(|argument| &argument.node) {
            Some(Literal::List(values)) => values.len(),
            Some(Literal::Variable(name)) => match self.variable(name) {
                Some(Value::List(values)) => values.len(),
                _ => 1,
            },
            _ => 1,
        };
        count.min(self.policy.max_page_size)
    }

    /// The number of items on the page of a connection. A resolver refuses sizes out of range.
    fn page_size(&self, field: &Field) -> usize {
        let size = |name| match field.get_argument(name).map(|argument| &argument.node) {
            Some(Literal::Number(size)) => size.as_u64(),
            Some(Literal::Variable(name)) => match self.variable(name) {
                Some(Value::Number(size)) => size.as_u64(),
                _ => None,
            },
            _ => None,
        };
        let max = self.policy.max_page_size;
        match size("first").or_else(|| size("last")) {
            Some(size) => usize::try_from(size).map_or(max, |size| size.min(max)),
            None => self.policy.default_page_size,
        }
    }

    /// The bytes of the variables in the arguments of a field.
    fn variable_uses(&mut self, field: &Field) -> usize {
        let values = field.arguments.iter().map(|(_, value)| self.variable_uses_in(&value.node));
        values.fold(0, usize::saturating_add)
    }

    /// The bytes of the variables in a value.
    fn variable_uses_in(&mut self, value: &Literal) -> usize {
        match value {
            Literal::Variable(variable) => {
                let Some(value) = self.variable(variable) else { return 0 };
                *self.variable_bytes.entry(variable.clone()).or_insert_with(|| json_bytes(value))
            }
            Literal::List(items) => items.iter().map(|item| self.variable_uses_in(item)).sum(),
            Literal::Object(fields) => fields.values().map(|value| self.variable_uses_in(value)).sum(),
            _ => 0,
        }
    }

    /// The number of search texts in a value of the input field `name`.
    fn count_searches(&mut self, name: &str, value: &Literal) -> usize {
        match value {
            Literal::Variable(variable) => self.count_searches_in_variable(name, variable),
            Literal::String(text) => usize::from(self.policy.search.is_search_text(name, text)),
            Literal::List(items) => items.iter().map(|item| self.count_searches(name, item)).sum(),
            Literal::Object(fields) => {
                fields.iter().map(|(name, value)| self.count_searches(name, value)).sum()
            }
            _ => 0,
        }
    }

    /// The number of search texts in a variable that is the value of the input field `name`.
    fn count_searches_in_variable(&mut self, name: &str, variable: &Name) -> usize {
        let value = match self.variable(variable) {
            Some(Value::String(text)) => return usize::from(self.policy.search.is_search_text(name, text)),
            Some(value) => value,
            None => return 0,
        };
        if let Some(known) = self.search_counts.get(variable) {
            return *known;
        }
        let count = count_searches_in_json(name, value, self.policy);
        self.search_counts.insert(variable.clone(), count);
        count
    }
}

/// An estimate of the length of a value as JSON, in bytes.
pub fn json_bytes(value: &Value) -> usize {
    let inside = match value {
        Value::String(text) => text.len(),
        Value::List(items) => items.iter().map(json_bytes).sum(),
        Value::Object(fields) => fields.iter().map(|(name, value)| name.len() + json_bytes(value)).sum(),
        _ => 0,
    };
    // Two more for a comma and a colon.
    inside + 2
}

/// The number of search texts in a JSON value of the input field `name`.
fn count_searches_in_json(name: &str, value: &Value, policy: &Policy) -> usize {
    match value {
        Value::String(text) => usize::from(policy.search.is_search_text(name, text)),
        Value::List(items) => items.iter().map(|item| count_searches_in_json(name, item, policy)).sum(),
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| count_searches_in_json(name, value, policy)).sum()
        }
        _ => 0,
    }
}
