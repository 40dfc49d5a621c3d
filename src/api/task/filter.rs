//! What a list of tasks can be filtered and ordered by.

use std::collections::BTreeSet;

use async_graphql::{Enum, InputObject};

use crate::api::scalar::Bound;
use crate::api::task::enums::{TaskPriority, TaskStatus};
use crate::api::task::input::parse_labels;
use crate::domain::{
    self, DateField, DateRange, Error, Faults, Label, OrderField, OrderKey, Problem, Result, Rule, fold,
    normalize,
};

/// How deep and, or and not may stand in each other.
const MAX_DEPTH: usize = 5;
/// How many conditions a filter may have in all.
const MAX_CONDITIONS: usize = 50;
const MAX_ORDER_KEYS: usize = 3;
/// How many words a text may have.
const MAX_WORDS: usize = 50;

/// All conditions given must hold.
#[derive(InputObject, Default)]
pub struct TaskFilter {
    /// All of these must hold; an empty list holds for every task.
    and: Option<Vec<TaskFilter>>,
    /// One of these must hold; an empty list holds for none.
    or: Option<Vec<TaskFilter>>,
    /// This must not hold.
    not: Option<Box<TaskFilter>>,
    /// Whether the status is COMPLETED.
    completed: Option<bool>,
    /// Any of these.
    status: Option<Vec<TaskStatus>>,
    /// Any of these.
    priority: Option<Vec<TaskPriority>>,
    /// Has all of these, ignoring case.
    labels: Option<Vec<String>>,
    /// Every word occurs, ignoring case, in title, description, objective or a label. Each word counts as
    /// a condition.
    text: Option<String>,
    /// When it is to be done.
    due_at: Option<DateTimeFilter>,
    /// When it was made.
    created_at: Option<DateTimeFilter>,
    /// When it last changed.
    updated_at: Option<DateTimeFilter>,
    /// When it became COMPLETED.
    completed_at: Option<DateTimeFilter>,
}

/// from is included, before is not.
#[derive(InputObject)]
pub struct DateTimeFilter {
    /// At this instant or later.
    from: Option<Bound>,
    /// Before this instant.
    before: Option<Bound>,
    /// Whether there is no date.
    is_null: Option<bool>,
}

impl TaskFilter {
    /// The condition that a task has to meet.
    pub fn parse(self) -> Result<domain::TaskFilter> {
        let mut faults = Faults::of("filter");
        let mut conditions = 0;
        let filter = self.condition(&mut faults, 0, &mut conditions);
        if conditions > MAX_CONDITIONS {
            let message = format!("has {conditions} conditions; at most {MAX_CONDITIONS} are allowed");
            faults.push("", Problem::new(Rule::TooMany, message));
        }
        faults.finish(Some(filter))
    }

    fn condition(self, faults: &mut Faults, depth: usize, count: &mut usize) -> domain::TaskFilter {
        use domain::TaskFilter as Filter;
        if depth > MAX_DEPTH {
            // Counted as well, so that there are no more faults than conditions.
            *count += 1;
            if *count <= MAX_CONDITIONS {
                let message = format!("is nested more than {MAX_DEPTH} levels deep");
                faults.push("", Problem::new(Rule::TooMany, message));
            }
            return Filter::All(Vec::new());
        }
        let before = *count;
        let mut all = Vec::new();
        let mut nested = |name: &str, filters: Vec<Self>| -> Vec<Filter> {
            let inner = |(index, filter): (usize, Self)| {
                faults.within(name, |faults| {
                    faults.within(index, |faults| filter.condition(faults, depth + 1, count))
                })
            };
            filters.into_iter().enumerate().map(inner).collect()
        };
        all.extend(self.and.map(|filters| Filter::All(nested("and", filters))));
        all.extend(self.or.map(|filters| Filter::Any(nested("or", filters))));
        all.extend(self.not.map(|filter| {
            let inner = faults.within("not", |faults| filter.condition(faults, depth + 1, count));
            Filter::Not(Box::new(inner))
        }));

        let own = all.len();
        all.extend(self.completed.map(|completed| {
            let filter = Filter::Status(vec![domain::TaskStatus::Completed]);
            if completed { filter } else { Filter::Not(Box::new(filter)) }
        }));
        all.extend(self.status.map(|any| Filter::Status(any.into_iter().map(Into::into).collect())));
        all.extend(self.priority.map(|any| Filter::Priority(any.into_iter().map(Into::into).collect())));
        all.extend(self.labels.map(|labels| {
            let labels = parse_labels(faults, "labels", &labels);
            Filter::Labels(labels.iter().map(Label::key).collect())
        }));
        let words = self.text.and_then(|text| faults.check("text", words(&text)));
        // Each word is a search of its own.
        *count += words.as_ref().map_or(0, |words| words.len().saturating_sub(1));
        all.extend(words.map(Filter::Words));
        let dates = [
            (DateField::DueAt, self.due_at),
            (DateField::CreatedAt, self.created_at),
            (DateField::UpdatedAt, self.updated_at),
            (DateField::CompletedAt, self.completed_at),
        ];
        let given = dates.into_iter().filter_map(|(field, range)| range.map(|range| (field, range)));
        all.extend(given.map(|(field, range)| Filter::Date(field, range.into())));
        *count += all.len() - own;
        // A filter without any condition is a condition of its own: true, or false.
        if *count == before {
            *count += 1;
        }
        Filter::All(all)
    }
}

/// The words of a search, each once.
fn words(text: &str) -> Result<BTreeSet<String>, Problem> {
    let words: BTreeSet<String> = fold(&normalize(text)?).split_whitespace().map(str::to_owned).collect();
    if words.len() > MAX_WORDS {
        return Err(Problem::new(Rule::TooMany, format!("may have at most {MAX_WORDS} words")));
    }
    Ok(words)
}

impl From<DateTimeFilter> for DateRange {
    fn from(filter: DateTimeFilter) -> Self {
        Self {
            from: filter.from.map(|at| at.0),
            before: filter.before.map(|at| at.0),
            is_null: filter.is_null,
        }
    }
}

/// One key of an order.
#[derive(InputObject)]
pub struct TaskOrder {
    /// What to order by.
    field: TaskOrderField,
    /// Which way.
    #[graphql(default)]
    direction: OrderDirection,
    /// Where tasks without a value go.
    #[graphql(default)]
    nulls: NullsOrder,
}

impl TaskOrder {
    /// The keys of an order: newest first when none is asked for.
    pub fn parse(order_by: Option<Vec<Self>>) -> Result<Vec<OrderKey>> {
        let order_by = order_by.unwrap_or_default();
        if order_by.len() > MAX_ORDER_KEYS {
            let mut faults = Faults::of("orderBy");
            let message = format!("may have at most {MAX_ORDER_KEYS} keys");
            faults.push("", Problem::new(Rule::TooMany, message));
            return Err(Error::Invalid(faults.into_found()));
        }
        if order_by.is_empty() {
            return Ok(vec![OrderKey::NEWEST_FIRST]);
        }
        let key = |order: Self| OrderKey {
            field: order.field.into(),
            descending: order.direction == OrderDirection::Desc,
            nulls_first: order.nulls == NullsOrder::First,
        };
        Ok(order_by.into_iter().map(key).collect())
    }
}

/// PRIORITY orders by weight, STATUS by progress (PENDING first), TITLE ignores case.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub enum TaskOrderField {
    /// When it was made.
    CreatedAt,
    /// When it last changed.
    UpdatedAt,
    /// When it is to be done.
    DueAt,
    /// When it became COMPLETED.
    CompletedAt,
    /// How much it matters, LOW first.
    Priority,
    /// How far it is, PENDING first.
    Status,
    /// The title in lower case, by code point.
    Title,
}

impl From<TaskOrderField> for OrderField {
    fn from(field: TaskOrderField) -> Self {
        match field {
            TaskOrderField::CreatedAt => Self::CreatedAt,
            TaskOrderField::UpdatedAt => Self::UpdatedAt,
            TaskOrderField::DueAt => Self::DueAt,
            TaskOrderField::CompletedAt => Self::CompletedAt,
            TaskOrderField::Priority => Self::Priority,
            TaskOrderField::Status => Self::Status,
            TaskOrderField::Title => Self::Title,
        }
    }
}

/// Which way an order goes.
#[derive(Enum, Clone, Copy, Default, PartialEq, Eq)]
pub enum OrderDirection {
    /// Smallest, oldest, first.
    #[default]
    Asc,
    /// Largest, newest, first.
    Desc,
}

/// Where tasks without a value go.
#[derive(Enum, Clone, Copy, Default, PartialEq, Eq)]
pub enum NullsOrder {
    /// Before all others.
    First,
    /// After all others.
    #[default]
    Last,
}
