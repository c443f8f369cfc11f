//! Whether another attempt is allowed, and at whose expense.

mod budget;
mod class;
mod methods;
mod policy;
mod rule;

pub use budget::Budget;
pub use class::OperationClass;
pub use methods::Methods;
pub use policy::Policy;
pub use rule::{Ended, allows};
