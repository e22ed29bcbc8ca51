//! Every variant of every shader, parsed and validated without a device, and held to what its launch
//! binds and to what every WebGPU adapter grants.

use std::any::type_name;
use std::collections::{BTreeMap, HashSet};
use std::ops::RangeInclusive;
use std::path::Path;

use burn::tensor::wgpu::wgpu::naga;
use naga::front::wgsl::parse_str;
use naga::valid::{Capabilities, FunctionInfo, GlobalUse, ValidationFlags, Validator};
use naga::{AddressSpace, GlobalVariable, Handle, Module, StorageAccess};

use super::concat::Concat;
use super::conv::Conv;
use super::convflu::gates::ConvFluGates;
#[cfg(feature = "native")]
use super::convflu::{
    grad_outputs::ConvFluGradOutputs, grad_sums::ConvFluGradSums, grad_weights::ConvFluGradWeights,
};
use super::convflu::{one_pass::ConvFlu1x1, tile_product::TileProduct};
use super::head::Head;
use super::instance_norm::InstanceNorm;
use super::linear::Linear;
use super::shader::{Shader, wgsl};
use crate::kernels::spec::WORKGROUP_BYTES;

/// Invocations of a workgroup that every adapter grants.
const MAX_INVOCATIONS: usize = 256;
/// Storage buffers of a stage that every adapter grants.
const MAX_STORAGE_BUFFERS: usize = 8;
/// To what WebGPU rounds each variable up before it adds up the workgroup memory, in bytes.
const WORKGROUP_UNIT: usize = 16;

/// How shaders declare what they only read, in a page and natively.
const ACCESSES: [&str; 2] = ["read", "read_write"];

pub const BOTH: [bool; 2] = [false, true];
pub const BATCHES: [usize; 3] = [1, 3, 8];
/// Channels of both editions' layers and of the painter's, and some that fill no quad or workgroup.
pub const CHANNELS: [usize; 14] = [1, 3, 4, 5, 8, 12, 13, 16, 24, 33, 48, 64, 96, 128];
/// Heights or widths: a tile takes longer ones in equal parts, which are among them.
pub const SIDES: RangeInclusive<usize> = 1..=64;

/// Heights and widths: small squares, those of the faces and of their halves, the painter's crops,
/// and narrow ones.
pub fn maps() -> impl Iterator<Item = [usize; 2]> {
    let squares = (1..=20).chain([24, 32, 33, 35, 48, 64, 70, 96]);
    let crops = [[12, 16], [24, 32], [48, 64], [96, 128]];
    let narrow = [[1, 70], [70, 1], [7, 3], [35, 9], [2, 40]];
    squares.map(|side| [side, side]).chain(crops).chain(narrow)
}

/// What no variant was made of so far.
struct Unchecked {
    /// Rust types of the kernels.
    kernels: HashSet<String>,
    /// The files of shaders/ by their first lines.
    files: BTreeMap<String, String>,
}

impl Unchecked {
    fn all() -> Self {
        let kernels = texts("src/kernels/wgsl").into_iter().flat_map(|(_, text)| {
            let kernel = |line: &str| {
                let kernel = line.strip_prefix("impl Shader for ")?.strip_suffix(" {")?;
                Some(kernel.to_owned())
            };
            text.lines().filter_map(kernel).collect::<Vec<_>>()
        });
        let files = texts("shaders").into_iter().map(|(name, text)| {
            let head = text.lines().find(|line| !line.is_empty());
            (head.expect("what the shader is for").to_owned(), name)
        });
        Self {
            kernels: kernels.collect(),
            files: files.collect(),
        }
    }

    fn check<S: Shader>(&mut self) {
        let mut known = HashSet::new();
        let mut variants = S::variants();
        variants.retain(|shader| known.insert(*shader));
        let mut declared = HashSet::new();
        for shader in &variants {
            for access in ACCESSES {
                let source = wgsl(*shader, access);
                let buffers = source.lines().filter(|line| line.starts_with("@group"));
                // It allows all that `read` does: one variant with these buffers tells.
                if access == "read_write" && !declared.insert(buffers.collect::<String>()) {
                    continue;
                }
                if let Err(fault) = fault(*shader, &source, access) {
                    panic!("{shader:?}, whose inputs are `{access}`: {fault}");
                }
                self.files
                    .retain(|head, _| source.lines().all(|line| line != head));
            }
        }
        let name = type_name::<S>().rsplit("::").next().expect("a name");
        println!("{name}: {} variants", variants.len());
        assert!(!variants.is_empty());
        self.kernels.remove(name);
    }
}

/// What a device, a browser or the launch would not take of a shader.
fn fault<S: Shader>(shader: S, source: &str, access: &str) -> Result<(), String> {
    let module = parse_str(source).map_err(|error| error.emit_to_string(source))?;
    let info = Validator::new(ValidationFlags::all(), Capabilities::empty())
        .validate(&module)
        .map_err(|error| error.emit_to_string(source))?;
    let [entry] = &module.entry_points[..] else {
        return Err("it has not one entry point".to_owned());
    };
    let (name, size) = (&entry.name, entry.workgroup_size);
    let threads = shader.threads();
    if name != "main" || size.map(|count| count as usize) != [threads, 1, 1] {
        return Err(format!("{name} of {size:?}, launched with {threads}"));
    }
    if threads > MAX_INVOCATIONS {
        return Err(format!("{threads} invocations"));
    }
    let bytes = workgroup_bytes(&module);
    if bytes > WORKGROUP_BYTES {
        return Err(format!("{bytes} bytes of workgroup memory"));
    }
    bindings_fit(
        &module,
        info.get_entry_point(0),
        size_of::<S::Sizes>(),
        access,
    )
}

/// Whether the bindings are the buffers, from 0 on, and after them the sizes.
fn bindings_fit(
    module: &Module,
    uses: &FunctionInfo,
    sizes: usize,
    access: &str,
) -> Result<(), String> {
    let mut bindings = BTreeMap::new();
    for (handle, variable) in module.global_variables.iter() {
        let Some(binding) = variable.binding else {
            continue;
        };
        bindings.insert((binding.group, binding.binding as usize), handle);
    }
    let buffers = bindings.len().saturating_sub(1);
    let expected = (0..=buffers).map(|binding| (0, binding));
    if !bindings.keys().copied().eq(expected) || buffers > MAX_STORAGE_BUFFERS {
        let found: Vec<_> = bindings.keys().collect();
        return Err(format!("bindings {found:?}"));
    }
    for ((_, binding), handle) in bindings {
        let variable = &module.global_variables[handle];
        let used = uses[handle];
        let is_fit = if binding < buffers {
            is_buffer(variable, used, access)
        } else {
            // The launch fills up the end of the uniform, but not what is amiss in it.
            variable.space == AddressSpace::Uniform && bytes_of(module, handle) == sizes
        };
        // A variable that nothing uses is no binding for WebGPU, which then refuses the launch.
        if !is_fit || used.is_empty() {
            let name = variable.name.as_deref().unwrap_or_default();
            return Err(format!("binding {binding}, {name}: {used:?}"));
        }
    }
    Ok(())
}

/// Whether a variable is a storage buffer that is written if, and only if, it is declared so; natively
/// all are.
fn is_buffer(variable: &GlobalVariable, used: GlobalUse, access: &str) -> bool {
    let AddressSpace::Storage { access: declared } = variable.space else {
        return false;
    };
    let may_write = declared.contains(StorageAccess::STORE);
    if access == "read" {
        may_write == used.contains(GlobalUse::WRITE)
    } else {
        may_write
    }
}

fn workgroup_bytes(module: &Module) -> usize {
    let variables = module.global_variables.iter();
    variables
        .filter(|(_, variable)| variable.space == AddressSpace::WorkGroup)
        .map(|(handle, _)| bytes_of(module, handle).next_multiple_of(WORKGROUP_UNIT))
        .sum()
}

fn bytes_of(module: &Module, variable: Handle<GlobalVariable>) -> usize {
    let of = module.global_variables[variable].ty;
    let bytes = module.types[of].inner.try_size(module.to_ctx());
    bytes.expect("a size within u32") as usize
}

/// The text files of a folder of the repository and of those in it: name, text.
fn texts(folder: &str) -> Vec<(String, String)> {
    fn collect(folder: &Path, texts: &mut Vec<(String, String)>) {
        for entry in std::fs::read_dir(folder).expect("a folder of the repository") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                collect(&path, texts);
            } else {
                let name = path.file_name().expect("a name").to_string_lossy();
                let text = std::fs::read_to_string(&path).expect("a text");
                texts.push((name.into_owned(), text));
            }
        }
    }
    let mut all = Vec::new();
    collect(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join(folder),
        &mut all,
    );
    all
}

#[test]
fn every_variant_of_every_shader_is_what_any_adapter_takes_and_its_launch_binds() {
    let mut unchecked = Unchecked::all();
    unchecked.check::<Conv>();
    unchecked.check::<InstanceNorm>();
    unchecked.check::<ConvFlu1x1>();
    unchecked.check::<ConvFluGates>();
    unchecked.check::<TileProduct>();
    unchecked.check::<Linear>();
    unchecked.check::<Concat>();
    unchecked.check::<Head>();
    #[cfg(feature = "native")]
    {
        unchecked.check::<ConvFluGradOutputs>();
        unchecked.check::<ConvFluGradWeights>();
        unchecked.check::<ConvFluGradSums>();
        let Unchecked { kernels, files } = unchecked;
        assert!(kernels.is_empty(), "not checked above: {kernels:?}");
        assert!(files.is_empty(), "of no kernel: {:?}", files.values());
    }
}

#[test]
fn a_shader_with_any_of_these_faults_is_refused() {
    let sound = wgsl(Concat, "read");
    let fault_of = |source: &str| fault(Concat, source, "read");
    assert_eq!(fault_of(&sound), Ok(()));
    let strides = "    b_stride: u32,\n";
    let compute = "@compute";
    for (part, broken, said) in [
        ("fn main(", "fn main", "expected"),
        ("out[", "nowhere[", "nowhere"),
        ("read_write> out", "read> out", "is not permitted"),
        ("@binding(1)", "@binding(4)", "bindings"),
        ("@binding(1)", "@binding(0)", "conflict"),
        ("read> b:", "read_write> b:", "binding 1, b"),
        ("b[", "a[", "binding 1, b"),
        (
            strides,
            "    b_stride: u32,\n    more: u32,\n",
            "binding 3, sizes",
        ),
        ("size(64)", "size(32)", "launched with 64"),
        ("fn main(", "fn other(", "launched with 64"),
    ] {
        assert!(sound.contains(part), "{part}");
        let fault = fault_of(&sound.replace(part, broken)).expect_err(broken);
        assert!(fault.contains(said), "{broken}: {fault}");
    }
    // So much workgroup memory as there is, and one number more.
    let with_memory = |numbers: usize| {
        let memory = format!("var<workgroup> memory: array<f32, {numbers}>;\n{compute}");
        fault_of(&sound.replace(compute, &memory))
    };
    let most = WORKGROUP_BYTES / size_of::<f32>();
    assert_eq!(with_memory(most), Ok(()));
    let fault = with_memory(most + 1).expect_err("too much");
    assert!(fault.contains("bytes of workgroup memory"), "{fault}");
}
