//! Enums whose values are stored by name.

/// An enum whose values are stored by name.
pub trait StoredEnum: Copy + 'static {
    /// All values, in ascending order.
    const ALL: &'static [Self];

    /// The stored name of the value.
    fn name(self) -> &'static str;

    /// The value with a stored name.
    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|value| value.name() == name)
    }
}

/// Defines enums that are stored by name.
macro_rules! stored_enum {
    ($($(#[$meta:meta])* $ty:ident { $($(#[$value_meta:meta])* $value:ident = $name:literal),+ $(,)? })+) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $ty { $($(#[$value_meta])* $value),+ }

        impl $crate::domain::StoredEnum for $ty {
            const ALL: &'static [Self] = &[$(Self::$value),+];

            fn name(self) -> &'static str {
                match self { $(Self::$value => $name),+ }
            }
        }
    )+};
}
pub(super) use stored_enum;
