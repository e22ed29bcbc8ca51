//! Every kernel that cubecl is asked to launch, whoever asks, by name.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use burn::cubecl::logging::{LaunchObservation, LaunchObserver};

#[derive(Default)]
struct Launched(Mutex<Vec<&'static str>>);

impl LaunchObserver for Launched {
    fn launched(&self, kernel: &'static str) {
        self.names().push(kernel);
    }
}

impl Launched {
    fn names(&self) -> MutexGuard<'_, Vec<&'static str>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What `work` gives, and the names of the kernels that it launched; a captured graph launches none.
pub fn launched_by<T>(work: impl FnOnce() -> T) -> (T, Vec<&'static str>) {
    let launched = Arc::new(Launched::default());
    let watching = LaunchObservation::new(launched.clone());
    let result = work();
    drop(watching);
    let names = launched.names().clone();
    (result, names)
}
