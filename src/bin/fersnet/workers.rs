//! Work over many pictures on all cores: each core has a network of its own, and only as many pictures as
//! there are cores are in memory.

use std::collections::BTreeMap;
use std::io::{IsTerminal, stderr};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
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
    /// there are pictures; None where nobody knows yet how many there will be.
    pub fn new(asked: Option<usize>, takes_turns: bool, pictures: Option<usize>) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let count = if takes_turns {
            1
        } else {
            asked.unwrap_or(cores)
        };
        let is_shown = pictures != Some(1) && stderr().is_terminal();
        let bar = if is_shown {
            ProgressBar::new(pictures.unwrap_or_default() as u64)
        } else {
            ProgressBar::hidden()
        };
        let what = if pictures.is_some() {
            "pictures"
        } else {
            "pictures and frames"
        };
        let template = format!("{{bar:40}} {{pos}}/{{len}} {what}, {{eta_precise}} left");
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style);
        }
        Self {
            count: count.clamp(1, pictures.unwrap_or(usize::MAX).max(1)),
            bar,
        }
    }

    /// What tells how far the work is, to be told of further work.
    pub fn bar(&self) -> ProgressBar {
        self.bar.clone()
    }
}

/// Reads each item by one of the workers, and hands the answers on in the items' order; the bar is hidden
/// meanwhile, so that `each` may write to stderr. It gives how far the bar moves on.
///
/// # Errors
/// When a worker's network cannot be loaded, or an answer cannot be handed on: the others are left then.
pub fn in_order<I: Send, A: Send>(
    workers: &Workers,
    items: impl Iterator<Item = I> + Send,
    load: &(impl Fn() -> Result<Pipeline> + Sync),
    read: &(impl Fn(&Pipeline, I) -> A + Sync),
    mut each: impl FnMut(A) -> Result<u64>,
) -> Result<()> {
    let mut hand_on = |answer: A| -> Result<()> {
        let done = workers.bar.suspend(|| each(answer))?;
        workers.bar.inc(done);
        Ok(())
    };
    // A lone worker uses the other cores within a picture.
    if workers.count == 1 {
        let pipeline = load()?;
        for item in items {
            hand_on(read(&pipeline, item))?;
        }
        workers.bar.finish_and_clear();
        return Ok(());
    }
    let (items, stopped) = (Mutex::new(items.enumerate()), AtomicBool::new(false));
    let next = || match items.lock() {
        Ok(mut items) => items.next(),
        Err(_) => None,
    };
    let work = |to: SyncSender<(usize, A)>| {
        let pipeline = load()?;
        while !stopped.load(Ordering::Relaxed)
            && let Some((index, item)) = next()
        {
            if to.send((index, read(&pipeline, item))).is_err() {
                break;
            }
        }
        Ok(())
    };
    // What a worker computes stays on its own thread.
    let alone = |to: SyncSender<(usize, A)>| {
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
                result = hand_on(answer);
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
