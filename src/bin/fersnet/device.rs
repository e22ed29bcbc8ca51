//! `--device`: where the network runs.

use anyhow::Result;
use burn::tensor::Device;
use clap::ValueEnum;

use crate::failure::Failure;

/// A device that the command line can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeviceName {
    /// The CPU, by Burn's own backend.
    Cpu,
    /// A GPU, by Vulkan, Metal or DirectX 12 (not in a build without `gpu`).
    Wgpu,
    /// An NVIDIA GPU (build with `--features cuda`).
    Cuda,
    /// The CPU, by LibTorch: the fastest trainer without a GPU (build with `--features tch`).
    Torch,
    /// An NVIDIA GPU, by LibTorch (build with `--features tch` and a PyTorch that has CUDA).
    TorchCuda,
}

impl DeviceName {
    /// All of them.
    #[cfg(feature = "bench")]
    pub const ALL: [Self; 5] = [
        Self::Cpu,
        Self::Wgpu,
        Self::Cuda,
        Self::Torch,
        Self::TorchCuda,
    ];

    /// So many devices of this kind. On the CPU they are the same one, to try what several do.
    ///
    /// # Errors
    /// [`Failure::Device`] when this build or this machine does not have them.
    pub fn open_many(self, count: usize) -> Result<Vec<Device>> {
        match self {
            _ if count == 1 => Ok(vec![self.open()?]),
            DeviceName::Cpu => Ok(vec![self.open()?; count]),
            #[cfg(feature = "cuda")]
            DeviceName::Cuda => Ok((0..count).map(Device::cuda).collect()),
            _ => Err(Failure::Device(format!(
                "--devices {count} works with --device cpu and, in a build with it, cuda"
            ))
            .into()),
        }
    }

    /// The device.
    ///
    /// # Errors
    /// [`Failure::Device`] when this build or this machine does not have it.
    pub fn open(self) -> Result<Device> {
        match self {
            DeviceName::Cpu => Ok(Device::flex()),
            #[cfg(feature = "gpu")]
            DeviceName::Wgpu => wgpu(),
            #[cfg(not(feature = "gpu"))]
            DeviceName::Wgpu => missing("wgpu", "gpu"),
            #[cfg(feature = "cuda")]
            DeviceName::Cuda => Ok(Device::cuda(0)),
            #[cfg(not(feature = "cuda"))]
            DeviceName::Cuda => missing("CUDA", "cuda"),
            #[cfg(feature = "tch")]
            #[expect(deprecated, reason = "no other CPU backend of Burn trains as fast")]
            DeviceName::Torch => Ok(Device::libtorch()),
            #[cfg(not(feature = "tch"))]
            DeviceName::Torch => missing("LibTorch", "tch"),
            #[cfg(feature = "tch")]
            DeviceName::TorchCuda => torch_cuda(),
            #[cfg(not(feature = "tch"))]
            DeviceName::TorchCuda => missing("LibTorch", "tch"),
        }
    }
}

/// The GPU that wgpu chooses.
#[cfg(feature = "gpu")]
fn wgpu() -> Result<Device> {
    let options = Device::wgpu_options().device_kind(burn::tensor::DeviceKind::DefaultDevice);
    Ok(options.init().map_err(|error| {
        Failure::Device(format!(
            "no GPU answers ({error}); install its Vulkan driver (Debian: mesa-vulkan-drivers), or use --device cpu"
        ))
    })?)
}

/// LibTorch's first GPU; cuDNN tries its algorithms, since all batches of a run have one shape.
#[cfg(feature = "tch")]
#[expect(deprecated, reason = "no other backend of Burn has cuDNN")]
fn torch_cuda() -> Result<Device> {
    if !tch::Cuda::is_available() {
        return Err(Failure::Device(
            "LibTorch finds no NVIDIA GPU: the driver is missing, or this PyTorch has no CUDA \
             (python3 -c 'import torch; print(torch.cuda.is_available())' tells); \
             --device torch trains on the CPU"
                .into(),
        )
        .into());
    }
    tch::Cuda::cudnn_set_benchmark(true);
    Ok(Device::libtorch_cuda(0))
}

#[cfg(not(all(feature = "gpu", feature = "cuda", feature = "tch")))]
fn missing(what: &str, feature: &str) -> Result<Device> {
    Err(Failure::Device(format!(
        "this build has no {what}; build it with `cargo build --release --features {feature}`"
    ))
    .into())
}
