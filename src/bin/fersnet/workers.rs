//! Work over many pictures on all cores: each core has a network of its own, and only as many pictures as
//! there are cores are in memory.

use std::collections::BTreeMap;
use std::io::{IsTerminal, stderr};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};

use anyhow::{Result, anyhow};
use fersnet::pipeline::Pipeline;
use indicatif::{ProgressBar, ProgressStyle};
use rayon::ThreadPoolBuilder;

/// How many pictures are worked on at a time, and how far the work is.
pub struct Workers {
    count: usize,
    bar: ProgressBar,
}

impl Workers {
    /// So many as were asked for, else as there are cores; one where the device takes turns. No more than
    /// there are pictures.
    pub fn new(asked: Option<usize>, takes_turns: bool, pictures: usize) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let count = if takes_turns {
            1
        } else {
            asked.unwrap_or(cores)
        };
        let bar = if pictures > 1 && stderr().is_terminal() {
            ProgressBar::new(pictures as u64)
        } else {
            ProgressBar::hidden()
        };
        let template = "{bar:40} {pos}/{len} pictures, {eta_precise} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self {
            count: count.clamp(1, pictures.max(1)),
            bar,
        }
    }
}

/// Reads each item by one of the workers, and hands the answers on in the items' order; the bar is hidden
/// meanwhile, so that `each` may write to stderr.
///
/// # Errors
/// When a worker's network cannot be loaded, or an answer cannot be handed on: the others are left then.
pub fn in_order<I: Sync, A: Send>(
    workers: &Workers,
    items: &[I],
    load: &(impl Fn() -> Result<Pipeline> + Sync),
    read: &(impl Fn(&Pipeline, &I) -> Result<A> + Sync),
    mut each: impl FnMut(&I, Result<A>) -> Result<()>,
) -> Result<()> {
    let mut hand_on = |item: &I, answer: Result<A>| {
        let handed = workers.bar.suspend(|| each(item, answer));
        workers.bar.inc(1);
        handed
    };
    // A lone worker uses the other cores within a picture.
    if workers.count == 1 {
        let pipeline = load()?;
        for item in items {
            hand_on(item, read(&pipeline, item))?;
        }
        workers.bar.finish_and_clear();
        return Ok(());
    }
    let (next, stopped) = (AtomicUsize::new(0), AtomicBool::new(false));
    let work = |to: SyncSender<(usize, Result<A>)>| {
        let pipeline = load()?;
        while !stopped.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else { break };
            if to.send((index, read(&pipeline, item))).is_err() {
                break;
            }
        }
        Ok(())
    };
    // What a worker computes stays on its own thread.
    let alone = |to: SyncSender<(usize, Result<A>)>| {
        let pool = ThreadPoolBuilder::new().num_threads(1).build()?;
        pool.install(|| work(to))
    };
    std::thread::scope(|scope| {
        let (to, answers) = sync_channel(workers.count);
        let threads: Vec<_> = (0..workers.count)
            .map(|_| {
                let (to, alone) = (to.clone(), &alone);
                scope.spawn(move || alone(to))
            })
            .collect();
        drop(to);
        let (mut early, mut done) = (BTreeMap::new(), 0);
        let mut result = Ok(());
        for (index, answer) in answers {
            early.insert(index, answer);
            while result.is_ok()
                && let Some(answer) = early.remove(&done)
            {
                result = hand_on(&items[done], answer);
                done += 1;
            }
            if result.is_err() {
                stopped.store(true, Ordering::Relaxed);
                break;
            }
        }
        workers.bar.finish_and_clear();
        for thread in threads {
            let ended = thread.join();
            result = result.and(ended.map_err(|_| anyhow!("a worker ended early"))?);
        }
        result
    })
}
