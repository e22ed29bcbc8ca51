//! Data layouts, each on a tiny tree with the official names: what is found, what is skipped and
//! why, how it is divided.

mod classes_and_folds;
mod fer2013;
mod found_faces;
mod paired;
mod photographs;
mod trees;
mod wrong;
