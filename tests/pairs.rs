//! Pairs that are drawn from portraits: the fit is the reference's, the set can be trained on, and the
//! same seed gives the same files.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use fersnet::data::controls::CONTROLS;
use fersnet::data::{self, Options};
use fersnet::face::Point;
use fersnet::mark::is_marked;
use fersnet::pairs::draw::Drawer;
use fersnet::pairs::model::{FaceModel, Part};
use fersnet::pairs::portrait::{Portrait, Taken};
use fersnet::pairs::recipes::{self, Recipes};
use fersnet::pairs::view::View;
use fersnet::pairs::{PairsError, Settings, Sizes, Summary};
use image::{Rgb, RgbImage};
use safetensors::SafeTensors;

/// The fit solves the same equations; the model's floats have 16 bits in both.
const FIT_TOLERANCE: f64 = 2e-3;

/// How far weights of the identity's modes, in standard deviations, may be apart: the reference stops two
/// rounds earlier.
const IDENTITY_TOLERANCE: f64 = 0.05;

/// How far the drawn pattern may differ from the reference's on the face around the mouth, in levels of
/// 255, on average: it is read by cubic curves here and by lines there, and the light varies in cells.
const DRAWN_TOLERANCE: f64 = 3.0;

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn model_bytes() -> Vec<u8> {
    fs::read(path("weights/facemodel.safetensors")).expect("the model")
}

fn model() -> Arc<FaceModel> {
    Arc::new(FaceModel::load(&model_bytes()).expect("a model"))
}

struct Golden(Vec<u8>);

impl Golden {
    fn read() -> Self {
        Self(fs::read(path("tests/golden/pairs.safetensors")).expect("a file"))
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        let file = SafeTensors::deserialize(&self.0).expect("safetensors");
        file.tensor(name).expect("a tensor").data().to_vec()
    }

    fn floats(&self, name: &str) -> Vec<f32> {
        let four = |b: &[u8]| f32::from_le_bytes([b[0], b[1], b[2], b[3]]);
        self.bytes(name).chunks_exact(4).map(four).collect()
    }

    /// The reference counts from the first pixel's centre, this program from its corner.
    fn mesh(&self, name: &str) -> Vec<Point> {
        let values = self.floats(name);
        values
            .chunks_exact(2)
            .map(|at| Point::new(at[0] + 0.5, at[1] + 0.5))
            .collect()
    }

    /// The golden faces, fitted: a neutral one and two that show something.
    fn portraits(&self, model: &Arc<FaceModel>) -> Vec<Portrait> {
        let taken = [Taken::Neutral, Taken::Shown, Taken::Shown].into_iter();
        let fitted = |(i, taken): (usize, Taken)| {
            let mesh = self.mesh(&format!("mesh.{i}"));
            Portrait::new(model, &blank(), &mesh, taken).expect("a fit")
        };
        taken.enumerate().map(fitted).collect()
    }
}

/// Grey, large enough for the golden meshes.
fn blank() -> Arc<RgbImage> {
    Arc::new(RgbImage::from_pixel(480, 480, Rgb([128; 3])))
}

#[test]
fn who_a_face_is_and_what_it_shows_are_those_of_the_reference() {
    let (golden, model) = (Golden::read(), model());
    for (i, portrait) in golden.portraits(&model).into_iter().enumerate() {
        let fit = &portrait.fit;
        let near = |a: f64, b: f32| (a - f64::from(b)).abs() < FIT_TOLERANCE;
        let identity = golden.floats(&format!("identity.{i}"));
        let modes = fit.identity.iter().zip(&identity);
        let off = modes
            .map(|(a, b)| (a - f64::from(*b)).abs())
            .fold(0.0, f64::max);
        assert!(off < IDENTITY_TOLERANCE, "{i}: {off}");
        let units = golden.floats(&format!("units.{i}"));
        for ((a, b), shape) in fit.units.iter().zip(&units).zip(&model.shapes) {
            assert!(near(f64::from(*a), *b), "{i}: {} {a} {b}", shape.name);
        }
        assert!(near(fit.rms, golden.floats(&format!("rms.{i}"))[0]), "{i}");
    }
}

#[test]
fn a_portrait_drawn_as_it_is_shown_has_the_photos_landmarks() {
    let (golden, model) = (Golden::read(), model());
    for (i, portrait) in golden.portraits(&model).into_iter().enumerate() {
        let posed = portrait.posed(&portrait.fit.units);
        for (vertex, seen) in model.landmarks.iter().zip(&portrait.landmarks) {
            let at = posed.places[*vertex as usize];
            let off = (f64::from(at[0]) - seen[0]).hypot(f64::from(at[1]) - seen[1]);
            // The field of what is left over is smooth, and need not meet each landmark.
            assert!(off < 0.04 * f64::from(portrait.eyes), "{i}: {off}");
        }
    }
}

#[test]
fn a_smile_that_is_closed_is_shut_and_as_wide_as_neutral_mouths() {
    let (golden, model) = (Golden::read(), model());
    let mesh = golden.mesh("mesh.1");
    let portrait = Portrait::new(&model, &blank(), &mesh, Taken::Shown).expect("a fit");
    assert!(!portrait.is_shut());
    let [width, _] = portrait.mouth(&portrait.posed(&portrait.fit.units));
    let [closed, gap] = portrait.mouth(&portrait.posed(&vec![0.0; model.shapes.len()]));
    assert!(
        width > 0.95 && (0.70..0.85).contains(&closed) && gap < 0.06,
        "{width} {closed} {gap}"
    );
}

#[test]
fn left_and_right_move_their_own_side() {
    let (golden, model) = (Golden::read(), model());
    let portrait =
        Portrait::new(&model, &blank(), &golden.mesh("mesh.0"), Taken::Neutral).expect("a fit");
    let still = portrait.posed(&vec![0.0; model.shapes.len()]);
    // The mouth's corners: the subject's right, the subject's left.
    let moved = |unit: &str| {
        let mut units = vec![0.0; model.shapes.len()];
        units[model.shape(unit).expect("a unit")] = 1.0;
        let posed = portrait.posed(&units);
        [48, 54].map(|landmark: usize| {
            let vertex = model.landmarks[landmark] as usize;
            let (a, b) = (posed.places[vertex], still.places[vertex]);
            (a[0] - b[0]).hypot(a[1] - b[1]) / portrait.eyes
        })
    };
    let (left, right) = (moved("mouthSmileLeft"), moved("mouthSmileRight"));
    assert!(
        left[1] > 5.0 * left[0] && right[0] > 5.0 * right[1],
        "{left:?} {right:?}"
    );
    assert!((left[1] / right[0] - 1.0).abs() < 0.15);
}

#[test]
fn a_drawn_picture_is_the_references_around_the_mouth() {
    const SIDE: usize = 192;
    let (golden, model) = (Golden::read(), model());
    let photo = RgbImage::from_fn(SIDE as u32, SIDE as u32, |x, y| {
        let (x, y) = (f64::from(x), f64::from(y));
        let colour = [
            128.0 + 60.0 * (x / 9.0).sin() + 30.0 * (y / 7.0).cos(),
            128.0 + 70.0 * ((x + y) / 11.0).sin(),
            128.0 + 70.0 * (y / 8.0).cos(),
        ];
        Rgb(colour.map(|value| value.round() as u8))
    });
    let mesh = golden.mesh("drawn.mesh");
    let portrait = Portrait::new(&model, &Arc::new(photo), &mesh, Taken::Neutral).expect("a fit");
    let view = View {
        origin: [0.0; 2],
        step: 1.0,
        size: [SIDE; 2],
    };
    let mut units = vec![0.0; model.shapes.len()];
    let smile = [
        ("mouthSmile", 1.0),
        ("cheekSquint", 0.9),
        ("eyeSquint", 0.3),
        ("mouthUpperUp", 0.5),
        ("mouthLowerDown", 0.3),
    ];
    for (name, weight) in smile {
        for side in ["Left", "Right"] {
            units[model.shape(&format!("{name}{side}")).expect("a unit")] = weight;
        }
    }
    units[model.shape("jawOpen").expect("a unit")] = 0.1;
    // The reference knows no folds of a smile.
    let in_photo = portrait.posed(&portrait.fit.units);
    let posed = portrait.posed(&units).with_folds_of(&in_photo);
    let drawer = Drawer::new(&portrait, view);
    let drawn = drawer.draw(&posed);
    let expected = golden.bytes("drawn");
    let mouth = portrait.landmarks[48..68].iter();
    let [left, right, top, bottom] = mouth.fold([f64::MAX, 0.0, f64::MAX, 0.0], |b, at| {
        [
            b[0].min(at[0]),
            b[1].max(at[0]),
            b[2].min(at[1]),
            b[3].max(at[1]),
        ]
    });
    let (mut sum, mut count) = (0.0, 0);
    for (i, colour) in drawn.picture.iter().enumerate() {
        let (x, y) = ((i % SIDE) as f64, (i / SIDE) as f64);
        let is_mouth = x > left - 12.0 && x < right + 12.0 && y > top - 12.0 && y < bottom + 12.0;
        if drawn.part[i] == Some(Part::Face) && drawn.is_visible[i] && !is_mouth {
            for c in 0..3 {
                sum += f64::from((colour[c] - f32::from(expected[3 * i + c])).abs());
                count += 1;
            }
        }
    }
    assert!(count > 20_000, "{count}");
    let mean = sum / f64::from(count);
    assert!(mean < DRAWN_TOLERANCE, "{mean}");
    // A smile with teeth opens the mouth, and where nothing moved nothing changed.
    assert!(drawn.cavity.iter().sum::<f32>() > 50.0);
    assert!(drawn.part.contains(&Some(Part::Teeth)));
    // There and back again: what both see is found where it was.
    let back = drawer.back(&posed, &drawn);
    let (mut seen, mut moved, mut off) = (0, 0, Vec::new());
    for (i, way) in back.ways.iter().enumerate() {
        // Teeth may be seen in both; their colour is painted.
        if !(way.is_visible && way.is_known) {
            continue;
        }
        seen += 1;
        moved += usize::from(way.flow[0].hypot(way.flow[1]) > 2.0);
        let here = [i % back.size[0], i / back.size[0]].map(|at| 2.0 * at as f32 + 0.5);
        let there = [0, 1].map(|axis| here[axis] + way.flow[axis]);
        let flow = drawn.flow[there[1] as usize * SIDE + there[0] as usize];
        off.push((there[0] + flow[0] - here[0]).hypot(there[1] + flow[1] - here[1]));
    }
    off.sort_by(f32::total_cmp);
    assert!(seen > 8_000 && moved > 300, "{seen} {moved}");
    // A pixel's flow stands for all of it, and stretched skin moves by more within one.
    let (median, most) = (off[off.len() / 2], off[off.len() * 99 / 100]);
    assert!(median < 0.1 && most < 0.7, "{median} {most}");
}

#[test]
fn the_shipped_recipes_are_sound_and_wrong_ones_are_refused_by_name() {
    let model = model();
    let recipes = Recipes::read(recipes::SHIPPED, &model).expect("recipes");
    let names: Vec<&str> = recipes.expressions().collect();
    assert_eq!(names.len(), 7);
    let sample = |i| {
        recipes.sample(
            "contempt",
            i,
            &model,
            &mut recipes::seeded(&["a", &i.to_string()]),
        )
    };
    assert_eq!(sample(3), sample(3));
    // Contempt lies on either side.
    let side = |i| {
        let units = sample(i).expect("a sample").units;
        let unit = |name| units[model.shape(name).expect("a unit")];
        unit("mouthDimpleLeft") > unit("mouthDimpleRight")
    };
    assert!((0..20).any(side) && !(0..20).all(side));
    for (from, to, word) in [
        ("mouthSmile = 1.0", "mouthSmirk = 1.0", "mouthSmirk"),
        ("[[surprise]]", "[[joy]]", "joy"),
        ("unit = 0.12", "unit = nan", "vary"),
        ("mouthFunnel = 0.35", "mouthFunnel = -0.35", "mouthFunnel"),
        ("[vary]", "[varied]", "vary"),
        ("lids = 0.35", "lids = 1.5", "lids"),
        ("reopened = [", "reopened = [\"neutral\", ", "reopened"),
    ] {
        let text = recipes::SHIPPED.replacen(from, to, 1);
        let error = Recipes::read(&text, &model)
            .expect_err("an error")
            .to_string();
        assert!(error.contains(word), "{error}");
    }
}

#[test]
fn a_damaged_model_is_refused_and_does_not_panic() {
    let bytes = model_bytes();
    for damaged in [&bytes[..1000], &bytes[..bytes.len() - 1], b"", &[0xff; 64]] {
        assert!(matches!(
            FaceModel::load(damaged),
            Err(PairsError::Model(_))
        ));
    }
    let golden = Golden::read();
    assert!(matches!(
        FaceModel::load(&golden.0),
        Err(PairsError::Model(_))
    ));
}

/// A rendered subject's calm face that a program drew, whose table says so.
const CALM: &str = "rendered-S1004-neutral.jpg";

/// An astronaut who smiles, a calm face, a picture without a face, and one that is none.
fn portraits() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let calm = fs::read(path("tests/photos").join(CALM)).expect("a sample");
    fs::write(folder.path().join(CALM), calm).expect("a file");
    let table = format!(
        "file,subject,licence,expression\n{CALM},S1004,CC0,neutral\nturned.jpg,astronaut,,happy\n\
         no-face.jpg,nobody,,\nbroken.jpg,nobody,,\n"
    );
    fs::write(folder.path().join("manifest.csv"), table).expect("a table");
    for name in ["turned.jpg", "no-face.jpg"] {
        let bytes = fs::read(path("tests/photos").join(name)).expect("a photo");
        fs::write(folder.path().join(name), bytes).expect("a file");
    }
    fs::write(folder.path().join("broken.jpg"), b"no picture").expect("a file");
    folder
}

fn settings(portraits: &Path, output: &Path) -> Settings {
    Settings {
        portraits: portraits.to_owned(),
        output: output.to_owned(),
        sizes: Sizes {
            samples: 1,
            size: 128,
            mouth_size: 96,
            seed: 1,
        },
        recipes: recipes::SHIPPED.to_owned(),
        resume: false,
        sheet: None,
    }
}

fn draw(settings: &Settings) -> Result<Summary, PairsError> {
    fersnet::pairs::run(
        settings,
        &model_bytes(),
        &|_, _| {},
        &AtomicBool::new(false),
    )
}

/// Every file below a folder.
fn files(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![root.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(root).expect("below").to_owned();
                found.insert(name, fs::read(&path).expect("a file"));
            }
        }
    }
    found
}

#[test]
fn a_folder_becomes_a_marked_set_that_can_be_trained_on_and_gone_on_with() {
    let portraits = portraits();
    let out = tempfile::tempdir().expect("a folder");
    let first = out.path().join("first");
    let mut settings = settings(portraits.path(), &first);
    settings.sheet = Some(out.path().join("sheet.png"));
    let summary = draw(&settings).expect("pairs");
    // What cannot be used is listed, and is not fatal.
    let left_out: BTreeMap<_, _> = summary.left_out.iter().cloned().collect();
    assert!(left_out["no-face.jpg"].contains("no face"), "{left_out:?}");
    assert!(
        left_out["broken.jpg"].contains("not a picture"),
        "{left_out:?}"
    );
    assert!(summary.pictures >= 14, "{summary:?}");
    assert!(is_marked(
        &fs::read(out.path().join("sheet.png")).expect("a sheet")
    ));

    // The crate's own loader takes it: one photograph, its controls, its mouths.
    let set = data::open(&first, &Options::default()).expect("a set");
    assert_eq!(set.controls, CONTROLS.map(str::to_owned));
    assert_eq!(set.faces.len(), summary.pictures);
    assert!(
        set.pixel_aligned && set.skipped.is_empty(),
        "{:?}",
        set.skipped
    );
    for face in &set.faces {
        let is_calm = face.photo == CALM;
        assert!(is_calm || face.photo == "turned.jpg");
        let licence = face.groups.get("licence").map(String::as_str);
        assert_eq!(licence, is_calm.then_some("CC0"));
        assert!(face.controls.is_some() && face.cavity.is_some());
        let bytes = fs::read(first.join(&face.name)).expect("a picture");
        let is_drawn = face.cavity.as_ref().is_some_and(|cavity| cavity.is_drawn);
        assert_eq!(is_marked(&bytes), is_drawn, "{}", face.name);
    }
    assert!(!set.faces[0].groups.contains_key("flow_from"));
    for face in &set.faces {
        let is_drawn = face.cavity.as_ref().is_some_and(|cavity| cavity.is_drawn);
        let from = face.flow.as_ref().map(|flow| flow.of.as_str());
        let is_photo = |name: &str| {
            set.faces
                .iter()
                .any(|other| other.name == name && other.flow.is_none())
        };
        assert!(from.is_some_and(is_photo) == is_drawn, "{}", face.name);
    }
    let of = |photo: &str| set.faces.iter().filter(|face| face.photo == photo).count();
    // The photo, seven expressions and three of random units; and the photo, the calm face, closed ones, five
    // that open the mouth otherwise, three of random units.
    assert_eq!(of(CALM), 11);
    assert!(of("turned.jpg") >= 11);
    let surprise = set.classes.iter().position(|name| name == "surprise");
    let mut surprised = set.faces.iter();
    let surprised = surprised.find(|face| face.photo == "turned.jpg" && face.class == surprise);
    let cavity = surprised.and_then(|face| face.cavity.as_ref());
    assert!(cavity.is_some_and(|cavity| cavity.is_drawn && cavity.map.is_some()));
    assert_eq!(set.classes.len(), 8);

    // Once more with one thread and with four: the same bytes.
    let whole = files(&first);
    for threads in [1, 4] {
        let root = out.path().join(threads.to_string());
        let again = Settings {
            output: root.clone(),
            sheet: None,
            ..settings.clone()
        };
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .expect("threads");
        pool.install(|| draw(&again)).expect("pairs");
        assert!(files(&root) == whole, "{threads}");
    }

    // A taken folder is refused, another seed is no continuation, and what is missing is drawn again.
    assert!(matches!(draw(&settings), Err(PairsError::NotEmpty(_))));
    settings.resume = true;
    let mut other = settings.clone();
    other.sizes.seed = 2;
    assert!(matches!(draw(&other), Err(PairsError::OtherSettings(_))));
    fs::remove_file(first.join("parts/turned.json")).expect("a part");
    fs::remove_file(first.join("manifest.csv")).expect("a table");
    fs::remove_dir_all(first.join("turned")).expect("pictures");
    assert_eq!(draw(&settings).expect("pairs"), summary);
    assert!(files(&first) == whole);
}

#[test]
fn a_run_that_is_stopped_leaves_no_set_and_goes_on() {
    let portraits = portraits();
    let out = tempfile::tempdir().expect("a folder");
    let root = out.path().join("out");
    let mut settings = settings(portraits.path(), &root);
    let stop = AtomicBool::new(false);
    // Stopped as soon as it is told how many portraits there are.
    let advance = |_: usize, _: usize| stop.store(true, Ordering::Relaxed);
    let summary = fersnet::pairs::run(&settings, &model_bytes(), &advance, &stop).expect("a stop");
    assert_eq!(summary.not_looked_at, 4);
    assert!(data::open(&root, &Options::default()).is_err());
    settings.resume = true;
    assert_eq!(draw(&settings).expect("pairs").not_looked_at, 0);
    assert!(data::open(&root, &Options::default()).is_ok());
}

/// Three subjects: the first of them is held out.
#[test]
fn a_trainer_draws_its_pairs_as_it_goes_and_goes_on_in_any_round() {
    let portraits = portraits();
    let again = "file,subject,licence,expression\nrendered-S1004-neutral.jpg,S1004,CC0,neutral\n\
                 second.jpg,a,CC0,neutral\nturned.jpg,astronaut,,happy\n";
    let calm = fs::read(portraits.path().join(CALM)).expect("a portrait");
    fs::write(portraits.path().join("second.jpg"), calm).expect("a file");
    fs::write(portraits.path().join("manifest.csv"), again).expect("a table");
    let out = tempfile::tempdir().expect("a folder");
    let folder = portraits.path().display();
    let train = |run: &str, more: &[&str]| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_fersnet"))
            .args([
                "train", "--plain", "--steps", "4", "--size", "64", "--width", "2",
            ])
            .arg("--run")
            .arg(out.path().join(run))
            .args([
                "--labelled-batch",
                "0",
                "--pairs-batch",
                "2",
                "--preset",
                "controls",
            ])
            .args(["--set", &format!("data.portraits=[\"{folder}\"]")])
            .args(["--set", "data.redraw_every=2", "--set", "data.size=96"])
            .args([
                "--set",
                "objective.classification=0",
                "--set",
                "run.transfer=false",
            ])
            .args(more)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            // One thread: the order of sums, and with it the last bit, must not change between runs.
            .env("RAYON_NUM_THREADS", "1")
            .output()
            .expect("the binary runs");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{error}");
    };
    train("whole", &[]);
    // Stopped within the second round.
    train("halved", &["--stop-after", "3"]);
    train("halved", &[]);
    // All from one round: other pairs, and so other weights.
    train("once", &["--set", "data.redraw_every=4"]);
    let weights = |run: &str| fs::read(out.path().join(run).join("weights.safetensors")).ok();
    assert!(weights("whole").is_some() && weights("whole") == weights("halved"));
    assert!(weights("whole") != weights("once"));
    assert!(!out.path().join("whole/drawn").exists());
}

#[test]
fn what_cannot_be_drawn_is_refused_in_words() {
    let portraits = portraits();
    let out = tempfile::tempdir().expect("a folder");
    let good = settings(portraits.path(), &out.path().join("out"));
    for size in [0, 63, 100_000] {
        let mut bad = good.clone();
        bad.sizes.size = size;
        assert!(matches!(draw(&bad), Err(PairsError::Setting(_))));
    }
    let mut bad = good.clone();
    bad.sizes.samples = 0;
    assert!(matches!(draw(&bad), Err(PairsError::Setting(_))));
    fs::write(
        portraits.path().join("manifest.csv"),
        "file,subject\n../turned.jpg,A\n",
    )
    .expect("a table");
    assert!(matches!(draw(&good), Err(PairsError::Portraits { .. })));
    fs::write(
        portraits.path().join("manifest.csv"),
        "file,subject\nno-face.jpg,A\n",
    )
    .expect("a table");
    assert!(matches!(draw(&good), Err(PairsError::NothingFits(1, _))));
}
