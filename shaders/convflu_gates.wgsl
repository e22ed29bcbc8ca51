// First of the two passes of a ConvFLU pair with 3x3 kernels (or with 1x1 kernels and more
// channels than convflu_1x1.wgsl holds): r . y, z and U * x, in both directions. All five products
// with x and all five with y share one read of x and y.
//
// A workgroup takes ROWS output channels of a tile of TILE_W columns by four rows of pixels. A
// thread holds one output channel at the four pixels of one column: neighbouring threads read and
// write neighbouring columns, and the taps of a column share its six pixels.
//
// in:  x, y     [batch, channels, height, width]          f32
//      weights  [in channel, tap, 3, out channel] vec4    see src/kernels/wgsl/convflu/weights.rs
// out: workspace  [r_x . y, r_y . x, z_x, z_y, U_x * x, U_y * y][batch, channels, height, width]
//      gates (variant)  [r_x, z_x, r_y, z_y][batch, channels, height, width]
// Workgroup memory: CHUNK input channels of both tiles with their halo, and their weights (40
// bytes a tap and output channel); at most 16 KiB.

struct Sizes {
    batch: u32,
    channels: u32,
    height: u32,
    width: u32,
}

const TILE_W: u32 = {{tile_w}}u;
const ROWS: u32 = {{rows}}u; // output channels of a workgroup
const CHUNK: u32 = {{chunk}}u; // input channels staged at a time
const HALO: u32 = {{halo}}u; // 0 or 1: kernel of 1 or 3
const SIDE: u32 = 2u * HALO + 1u;
const TAPS: u32 = SIDE * SIDE;
const SPAN_W: u32 = TILE_W + 2u * HALO;
const SPAN: u32 = SPAN_W * (4u + 2u * HALO); // pixels of a tile with its halo
const THREADS: u32 = {{threads}}u;

alias Value = vec4<f32>; // of shared/gates.wgsl

var<storage, {{read}}> x: array<f32>;
var<storage, {{read}}> y: array<f32>;
var<storage, {{read}}> weights: array<vec4<f32>>;
var<storage, read_write> workspace: array<f32>;
{{if_gates}}var<storage, read_write> gates: array<f32>;
var<uniform> sizes: Sizes;

var<workgroup> tile_x: array<f32, {{tile}}>;
var<workgroup> tile_y: array<f32, {{tile}}>;
var<workgroup> gates_x: array<vec4<f32>, {{staged}}>; // r from x, r from y, z from x, z from y
var<workgroup> gates_y: array<vec4<f32>, {{staged}}>; // r from y, r from x, z from y, z from x
var<workgroup> candidates: array<vec2<f32>, {{staged}}>; // U_x, U_y

// Sums of one output channel at four pixels.
struct Sums {
    r_x: vec4<f32>,
    z_x: vec4<f32>,
    u_x: vec4<f32>,
    r_y: vec4<f32>,
    z_y: vec4<f32>,
    u_y: vec4<f32>,
}

fn add_tap(sums: ptr<function, Sums>, w: u32, xv: vec4<f32>, yv: vec4<f32>) {
    let a = gates_x[w];
    let b = gates_y[w];
    let u = candidates[w];
    (*sums).r_x += a.x * xv + a.y * yv;
    (*sums).z_x += a.z * xv + a.w * yv;
    (*sums).r_y += b.x * yv + b.y * xv;
    (*sums).z_y += b.z * yv + b.w * xv;
    (*sums).u_x += u.x * xv;
    (*sums).u_y += u.y * yv;
}

// The three taps of one column of a 3x3 kernel: t is the topmost pixel, w the topmost tap.
fn add_column(sums: ptr<function, Sums>, w: u32, t: u32) {
    let x0 = vec4<f32>(tile_x[t], tile_x[t + SPAN_W], tile_x[t + 2u * SPAN_W], tile_x[t + 3u * SPAN_W]);
    let y0 = vec4<f32>(tile_y[t], tile_y[t + SPAN_W], tile_y[t + 2u * SPAN_W], tile_y[t + 3u * SPAN_W]);
    let x1 = vec2<f32>(tile_x[t + 4u * SPAN_W], tile_x[t + 5u * SPAN_W]);
    let y1 = vec2<f32>(tile_y[t + 4u * SPAN_W], tile_y[t + 5u * SPAN_W]);
    add_tap(sums, w, x0, y0);
    add_tap(sums, w + 3u * ROWS, vec4<f32>(x0.yzw, x1.x), vec4<f32>(y0.yzw, y1.x));
    add_tap(sums, w + 6u * ROWS, vec4<f32>(x0.zw, x1), vec4<f32>(y0.zw, y1));
}

// One input channel of a 3x3 kernel: w its first weight, t the topmost left pixel.
fn add_channel_3(sums: ptr<function, Sums>, w: u32, t: u32) {
    add_column(sums, w, t);
    add_column(sums, w + ROWS, t + 1u);
    add_column(sums, w + 2u * ROWS, t + 2u);
}

// One input channel of a 1x1 kernel.
fn add_channel_1(sums: ptr<function, Sums>, w: u32, t: u32) {
    let xv = vec4<f32>(tile_x[t], tile_x[t + SPAN_W], tile_x[t + 2u * SPAN_W], tile_x[t + 3u * SPAN_W]);
    let yv = vec4<f32>(tile_y[t], tile_y[t + SPAN_W], tile_y[t + 2u * SPAN_W], tile_y[t + 3u * SPAN_W]);
    add_tap(sums, w, xv, yv);
}

fn store(i: u32, all: u32, r_x: f32, z_x: f32, u_x: f32, r_y: f32, z_y: f32, u_y: f32) {
    workspace[i] = r_x * y[i];
    workspace[i + all] = r_y * x[i];
    workspace[i + 2u * all] = z_x;
    workspace[i + 3u * all] = z_y;
    workspace[i + 4u * all] = u_x;
    workspace[i + 5u * all] = u_y;
{{if_gates}}    gates[i] = r_x;
{{if_gates}}    gates[i + all] = z_x;
{{if_gates}}    gates[i + 2u * all] = r_y;
{{if_gates}}    gates[i + 3u * all] = z_y;
}

@compute @workgroup_size({{threads}})
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let channels = sizes.channels;
    let map = sizes.height * sizes.width;
    let tiles = (sizes.width + TILE_W - 1u) / TILE_W;
    let left = group.x % tiles * TILE_W;
    let top = group.x / tiles * 4u;
    let first_row = group.y * ROWS;
    let image = group.z * channels * map;
    let column = thread % TILE_W;
    let row = thread / TILE_W;

    var sums = Sums();
    for (var first = 0u; first < channels; first += CHUNK) {
        let count = min(CHUNK, channels - first);
        workgroupBarrier();
        for (var i = thread; i < count * SPAN; i += THREADS) {
            let k = i / SPAN;
            let spot = i % SPAN;
            // Left of and above the map these wrap round to huge numbers: outside as well.
            let py = top + spot / SPAN_W - HALO;
            let px = left + spot % SPAN_W - HALO;
            var xv = 0.0;
            var yv = 0.0;
            if py < sizes.height && px < sizes.width {
                let p = image + (first + k) * map + py * sizes.width + px;
                xv = x[p];
                yv = y[p];
            }
            tile_x[i] = xv;
            tile_y[i] = yv;
        }
        for (var i = thread; i < count * TAPS * ROWS; i += THREADS) {
            let staged_row = first_row + i % ROWS;
            if staged_row < channels {
                let w = (first * TAPS + i / ROWS) * 3u * channels + staged_row;
                gates_x[i] = weights[w];
                gates_y[i] = weights[w + channels];
                candidates[i] = weights[w + 2u * channels].xy;
            }
        }
        workgroupBarrier();
        for (var k = 0u; k < count; k++) {
            add_channel_{{side}}(&sums, k * TAPS * ROWS + row, k * SPAN + column);
        }
    }

    let px = left + column;
    if first_row + row < channels && px < sizes.width {
        let all = sizes.batch * channels * map;
        let r_x = sigmoid(sums.r_x);
        let z_x = sigmoid(sums.z_x);
        let r_y = sigmoid(sums.r_y);
        let z_y = sigmoid(sums.z_y);
        let i = image + (first_row + row) * map + top * sizes.width + px;
        store(i, all, r_x.x, z_x.x, sums.u_x.x, r_y.x, z_y.x, sums.u_y.x);
        if top + 1u < sizes.height {
            store(i + sizes.width, all, r_x.y, z_x.y, sums.u_x.y, r_y.y, z_y.y, sums.u_y.y);
        }
        if top + 2u < sizes.height {
            store(i + 2u * sizes.width, all, r_x.z, z_x.z, sums.u_x.z, r_y.z, z_y.z, sums.u_y.z);
        }
        if top + 3u < sizes.height {
            store(i + 3u * sizes.width, all, r_x.w, z_x.w, sums.u_x.w, r_y.w, z_y.w, sums.u_y.w);
        }
    }
}
