//! Plans, reports and states as text and JSON.
