//! The command line: one subcommand a file, each thin over the library.

mod answers;
#[cfg(feature = "bench")]
mod bench;
mod check;
mod data;
mod device;
mod enlarge;
mod evaluate;
mod faces;
mod failure;
mod ffmpeg;
mod forward;
mod given;
mod interrupt;
mod output;
mod pairs;
mod picture;
mod predict;
mod report;
mod synthesize;
mod table;
mod train;
mod weights;
mod workers;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Reads the expression of a face and redraws the face with another one.
///
/// Exit codes: 0 done, 1 failed, 2 wrong arguments, 3 a picture or video cannot be read, 4 no face found,
/// 5 weights refused, 6 this device is not at hand.
#[derive(Parser)]
#[command(name = "fersnet", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Recognise the expression of every face in pictures and videos.
    Predict(predict::Predict),
    /// Synthesise a face with another expression.
    #[command(alias = "synthesise")]
    Synthesize(synthesize::Synthesize),
    /// Was a picture made here? Which marks of a synthetic picture it carries.
    Check(check::Check),
    /// One raw pass over a ready 96 x 96 face, as tensors.
    Forward(forward::Forward),
    /// What a weight file holds, and what a pass costs.
    Inspect(weights::Inspect),
    /// Turn a checkpoint of the authors' 2021 code into a weight file.
    Convert(weights::Convert),
    /// Put a weight file's mouth painter into a file of its own.
    Split(weights::Split),
    /// Put a painter, or other presets, into a network's weight file.
    Join(weights::Join),
    /// What a folder of faces holds, and what is skipped of it and why.
    Data(data::Data),
    /// Train a network on labelled faces and on faces of one subject with several expressions.
    Train(Box<train::Train>),
    /// Make a data set of synthetic faces that networks read as they were meant.
    Enlarge(enlarge::Enlarge),
    /// Draw paired training data from portraits: each face with other expressions.
    Pairs(pairs::Pairs),
    /// The paper's table: four networks over subject-independent folds.
    Table(table::Table),
    /// How well weights read labelled faces, and what others see in the faces that they redraw.
    Evaluate(evaluate::Evaluate),
    /// Samples a second of a training step on this machine's devices.
    #[cfg(feature = "bench")]
    Bench(bench::Bench),
}

fn main() -> ExitCode {
    prefer_cpu();
    let result = match Arguments::parse().command {
        Command::Predict(command) => command.run(),
        Command::Synthesize(command) => command.run(),
        Command::Check(command) => command.run(),
        Command::Forward(command) => command.run(),
        Command::Inspect(command) => command.run(),
        Command::Convert(command) => command.run(),
        Command::Split(command) => command.run(),
        Command::Join(command) => command.run(),
        Command::Data(command) => command.run(),
        Command::Train(command) => command.run(),
        Command::Enlarge(command) => command.run(),
        Command::Pairs(command) => command.run(),
        Command::Table(command) => command.run(),
        Command::Evaluate(command) => command.run(),
        #[cfg(feature = "bench")]
        Command::Bench(command) => command.run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // What reads the answers has enough of them: `fersnet predict *.jpg | head`.
        Err(error) if failure::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fersnet: {error:#}");
            failure::exit_code(&error)
        }
    }
}

/// Makes the CPU what Burn takes where no device is named, as for the state of an optimiser that it reads from a file: by
/// itself it takes a GPU, and ends the program on a machine without one.
fn prefer_cpu() {
    const CHOICE: &str = "BURN_DEVICE";
    if std::env::var_os(CHOICE).is_none() {
        // SAFETY: the program has no other thread yet.
        unsafe { std::env::set_var(CHOICE, "flex") };
    }
}
