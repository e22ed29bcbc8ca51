// Instance norm of every map, then gamma and beta, shortcut, activation and, as a variant, the 2x2
// max-pool.
//
// A workgroup takes one map of one image and reads it three times: for the mean, for the variance
// (from the deviations, since squares alone would cancel), and to write. A thread strides by the
// workgroup, so that neighbouring threads read neighbouring pixels. With gamma and beta every thread
// computes both from the target, a product for each class: less than a dispatch of their own.
//
// in:  x         [1 or batch, x channels, map], its channels from `x_first` on   f32, map = height * width
//      target_weights (variant)  [batch, classes]
//      linear    (variant)  [classes + 1, 2, channels]           to gamma, then beta; biases last
//      shortcut  (variant)  [batch, channels, map]
// out: out       [batch, out_channels, map], in its channels from `first` on; the map halved by the max-pool
// Workgroup memory: four bytes a thread. Bank conflicts: none; the sums are read by all at once.

struct Sizes {
    channels: u32,
    pixels: u32, // of a map, in units of Pixel
    x_stride: u32, // from an image of x to the next; 0 where all share one
    x_first: u32,
    first: u32,
    out_channels: u32,
    row: u32, // of a map, in units of Pixel
    classes: u32,
}

alias Pixel = {{pixel}};
alias Out = {{out_pixel}}; // half a Pixel across after the max-pool, where that is more than one
const THREADS: u32 = {{threads}}u;
const EPSILON: f32 = {{epsilon}};
const ACROSS: u32 = {{across}}u; // Pixels across an Out of the max-pool

var<storage, {{read}}> x: array<Pixel>;
var<storage, read_write> out: array<Out>;
{{if_style}}var<storage, {{read}}> target_weights: array<f32>;
{{if_style}}var<storage, {{read}}> linear: array<f32>;
{{if_shortcut}}var<storage, {{read}}> shortcut: array<Pixel>;
var<uniform> sizes: Sizes;

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
    // Threads beyond a small map's pixels have nothing to add.
    for (var i = 0u; i < min(THREADS, sizes.pixels); i++) {
        sum += partial[i];
    }
    return sum;
}

{{if_style}}// Gamma or beta of a channel: one output of the linear layer over the target.
{{if_style}}fn linear_at(image: u32, output: u32) -> f32 {
{{if_style}}    let outputs = 2u * sizes.channels;
{{if_style}}    var sum = linear[sizes.classes * outputs + output];
{{if_style}}    for (var i = 0u; i < sizes.classes; i++) {
{{if_style}}        sum += target_weights[image * sizes.classes + i] * linear[i * outputs + output];
{{if_style}}    }
{{if_style}}    return sum;
{{if_style}}}

// What is done to the pixels of one map.
struct Map {
    from_x: u32,
    beside: u32,
    mean: f32,
    scale: f32,
    offset: f32,
}

fn value(map: Map, i: u32) -> Pixel {
    var v = (x[map.from_x + i] - Pixel(map.mean)) * map.scale + Pixel(map.offset);
{{if_shortcut}}    v += shortcut[map.beside + i];
    return activation(v);
}

{{if_pool}}fn larger_of_column(map: Map, i: u32) -> Pixel {
{{if_pool}}    return max(value(map, i), value(map, i + sizes.row));
{{if_pool}}}

@compute @workgroup_size({{threads}})
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let channel = group.x;
    let image = group.y;
    let from_x = image * sizes.x_stride + (sizes.x_first + channel) * sizes.pixels;
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
{{if_style}}    scale *= linear_at(image, channel);
{{if_style}}    offset = linear_at(image, sizes.channels + channel);
    let beside = (image * sizes.channels + channel) * sizes.pixels;
    let map = Map(from_x, beside, mean, scale, offset);
    let out_map = image * sizes.out_channels + sizes.first + channel;
{{if_map}}    for (var i = thread; i < sizes.pixels; i += THREADS) {
{{if_map}}        out[out_map * sizes.pixels + i] = value(map, i);
{{if_map}}    }
{{if_pool}}    let columns = sizes.row / ACROSS;
{{if_pool}}    let pooled = sizes.pixels / sizes.row / 2u * columns;
{{if_pool}}    for (var i = thread; i < pooled; i += THREADS) {
{{if_pool}}        let at = i / columns * 2u * sizes.row + i % columns * ACROSS;
{{if_pool}}        let v = larger_of_column(map, at);
{{if_pool}}        out[out_map * pooled + i] = {{larger_across}};
{{if_pool}}    }
}
