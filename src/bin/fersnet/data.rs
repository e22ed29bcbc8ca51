//! `fersnet data`: what a folder of faces holds.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use fersnet::data::{self, Dataset, Layout, Options, Skipped, Split};
use serde::Serialize;

/// What a folder of faces holds: its layout, subjects, pictures of each expression, and what is
/// skipped and why.
#[derive(Args)]
pub struct Data {
    /// The folder.
    dir: PathBuf,
    /// Its layout; recognised by default.
    #[arg(long, value_enum)]
    layout: Option<Layout>,
    /// Only this official part of FER+ or FER2013.
    #[arg(long, value_enum)]
    split: Option<Split>,
    /// Take a paired set's further photographs of a subject too.
    #[arg(long)]
    real: bool,
    /// Where found faces are kept; `faces` in $FERSNET_HOME, which is ~/.cache/fersnet, by default.
    #[arg(long)]
    cache: Option<PathBuf>,
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Contents {
    layout: Layout,
    pictures: usize,
    subjects: usize,
    classes: Vec<ClassCount>,
    /// Pictures whose votes have no majority.
    undecided: usize,
    /// Pictures of each collection that the set is made of.
    sources: BTreeMap<String, usize>,
    /// Pictures of each official part.
    splits: BTreeMap<String, usize>,
    /// What is known of the pictures, by which figures can be divided.
    groups: BTreeSet<String>,
    #[serde(rename = "left_out")]
    skipped: Vec<Skipped>,
}

#[derive(Serialize)]
struct ClassCount {
    name: String,
    n: usize,
}

impl Data {
    /// Prints it.
    pub fn run(&self) -> Result<()> {
        let options = Options {
            layout: self.layout,
            split: self.split,
            real: self.real,
            cache: self.cache.clone(),
            ..Options::default()
        };
        let contents = Contents::of(data::open(&self.dir, &options)?);
        if self.json {
            println!("{}", serde_json::to_string_pretty(&contents)?);
        } else {
            contents.print();
        }
        Ok(())
    }
}

impl Contents {
    fn of(dataset: Dataset) -> Self {
        let counts = dataset.count_by_class();
        let decided: usize = counts.iter().sum();
        let names = |name: &dyn Fn(&data::Face) -> Option<String>| {
            let mut counts = BTreeMap::new();
            for name in dataset.faces.iter().filter_map(name) {
                *counts.entry(name).or_insert(0) += 1;
            }
            counts
        };
        Self {
            layout: dataset.layout,
            pictures: dataset.faces.len(),
            subjects: dataset.subjects().len(),
            undecided: dataset.faces.len() - decided,
            sources: names(&|face| (!face.source.is_empty()).then(|| face.source.clone())),
            splits: names(&|face| face.groups.get("split").cloned()),
            groups: dataset
                .faces
                .iter()
                .flat_map(|face| face.groups.keys().cloned())
                .collect(),
            classes: dataset
                .classes
                .into_iter()
                .zip(counts)
                .map(|(name, n)| ClassCount { name, n })
                .collect(),
            skipped: dataset.skipped,
        }
    }

    fn print(&self) {
        println!("layout      {}", self.layout);
        println!("pictures    {}", self.pictures);
        match self.subjects {
            0 => println!("subjects    not stated"),
            count => println!("subjects    {count}"),
        }
        for class in &self.classes {
            println!("{:>11} {}", class.n, class.name);
        }
        if self.undecided > 0 {
            println!("{:>11} without a majority", self.undecided);
        }
        let list = |counts: &BTreeMap<String, usize>| {
            let each: Vec<_> = counts
                .iter()
                .map(|(name, n)| format!("{name} {n}"))
                .collect();
            each.join(", ")
        };
        if !self.sources.is_empty() {
            println!("sources     {}", list(&self.sources));
        }
        if !self.splits.is_empty() {
            println!("parts       {}", list(&self.splits));
        }
        if !self.groups.is_empty() {
            let groups: Vec<_> = self.groups.iter().map(String::as_str).collect();
            println!("groups      {}", groups.join(", "));
        }
        for Skipped {
            reason,
            count,
            example,
        } in &self.skipped
        {
            println!("skipped     {count}: {reason} ({example})");
        }
    }
}
