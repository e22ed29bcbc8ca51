//! Batches that are drawn ahead of the step, several at once where there are cores for them.

use std::ops::Range;
use std::sync::mpsc::SyncSender;

use rayon::prelude::*;

/// Cores that one batch keeps busy: parts of its drawing have to be done one after the other.
const CORES_A_BATCH: usize = 4;

/// Batches that are drawn at once, whatever the number of cores: each takes memory.
const AT_ONCE: usize = 4;

/// Draws the batches of some steps and sends them in the steps' order. False when nobody takes them any more.
pub(super) fn send_all<T: Send>(
    steps: Range<usize>,
    draw: impl Fn(usize) -> T + Sync,
    sender: &SyncSender<T>,
) -> bool {
    let at_once = (rayon::current_num_threads() / CORES_A_BATCH).clamp(1, AT_ONCE);
    let steps: Vec<usize> = steps.collect();
    steps.chunks(at_once).all(|steps| {
        let batches: Vec<T> = steps.par_iter().map(|step| draw(*step)).collect();
        batches.into_iter().all(|batch| sender.send(batch).is_ok())
    })
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn batches_come_in_the_order_of_the_steps_until_nobody_takes_them() {
        let (sender, batches) = mpsc::sync_channel(2);
        let taker = std::thread::spawn(move || batches.iter().take(9).collect::<Vec<usize>>());
        assert!(!send_all(3..1000, |step| step, &sender));
        assert_eq!(taker.join().expect("no panic"), (3..12).collect::<Vec<_>>());
        let (sender, batches) = mpsc::sync_channel(8);
        assert!(send_all(0..5, |step| step, &sender));
        assert_eq!(batches.try_iter().collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    }
}
