// Instance norm of every map, then gamma and beta, shortcut and activation.
//
// A workgroup takes one map of one image and reads it three times: for the mean, for the variance
// (from the deviations, since squares alone would cancel), and to write. A thread strides by the
// workgroup, so that neighbouring threads read neighbouring pixels.
//
// in:  x         [1 or batch, channels, map]                     f32, map = height * width
//      affine    (variant)  [batch, 2, channels]                 gamma, then beta
//      shortcut  (variant)  [batch, channels, map]
// out: out       [batch, out_channels, map], in its channels from `first` on
// Workgroup memory: four bytes a thread. Bank conflicts: none; the sums are read by all at once.

struct Sizes {
    channels: u32,
    pixels: u32, // of a map, in units of Pixel
    x_stride: u32, // from an image of x to the next; 0 where all share one
    first: u32,
    out_channels: u32,
    unused_0: u32,
    unused_1: u32,
    unused_2: u32,
}

alias Pixel = {{pixel}};
const THREADS: u32 = {{threads}}u;
const EPSILON: f32 = {{epsilon}};

@group(0) @binding(0) var<storage, {{read}}> x: array<Pixel>;
@group(0) @binding(1) var<storage, read_write> out: array<Pixel>;
{{if_affine}}@group(0) @binding(2) var<storage, {{read}}> affine: array<f32>;
{{if_shortcut}}@group(0) @binding(2) var<storage, {{read}}> shortcut: array<Pixel>;
@group(0) @binding({{sizes_binding}}) var<uniform> sizes: Sizes;

var<workgroup> partial: array<f32, {{threads}}>;

fn total(v: Pixel) -> f32 {
    return {{total}};
}

fn activation(v: Pixel) -> Pixel {
    return {{activation}};
}

// The sum over all threads.
fn sum_of_all(thread: u32, own: f32) -> f32 {
    workgroupBarrier();
    partial[thread] = own;
    workgroupBarrier();
    var sum = 0.0;
    for (var i = 0u; i < THREADS; i++) {
        sum += partial[i];
    }
    return sum;
}

@compute @workgroup_size({{threads}})
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let channel = group.x;
    let image = group.y;
    let from_x = image * sizes.x_stride + channel * sizes.pixels;
    let count = f32(sizes.pixels) * total(Pixel(1.0));

    var sum = Pixel(0.0);
    for (var i = thread; i < sizes.pixels; i += THREADS) {
        sum += x[from_x + i];
    }
    let mean = sum_of_all(thread, total(sum)) / count;

    var squares = Pixel(0.0);
    for (var i = thread; i < sizes.pixels; i += THREADS) {
        let d = x[from_x + i] - Pixel(mean);
        squares += d * d;
    }
    let variance = sum_of_all(thread, total(squares)) / count;

    var scale = 1.0 / sqrt(variance + EPSILON);
    var offset = 0.0;
{{if_affine}}    scale *= affine[image * 2u * sizes.channels + channel];
{{if_affine}}    offset = affine[(image * 2u + 1u) * sizes.channels + channel];
    let to = (image * sizes.out_channels + sizes.first + channel) * sizes.pixels;
{{if_shortcut}}    let beside = (image * sizes.channels + channel) * sizes.pixels;
    for (var i = thread; i < sizes.pixels; i += THREADS) {
        var v = (x[from_x + i] - Pixel(mean)) * scale + Pixel(offset);
{{if_shortcut}}        v += shortcut[beside + i];
        out[to + i] = activation(v);
    }
}

