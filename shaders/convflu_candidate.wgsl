// Second of the two passes of a ConvFLU pair, after convflu_gates.wgsl: h = tanh(U * x + W * (r . y))
// and the mix of x and h by z. One direction a workgroup.
//
// A workgroup takes four times QUAD_ROWS output channels of a tile of TILE_W columns by four rows
// of pixels. A thread holds four output channels at the four pixels of one column.
//
// in:  x, y     [batch, channels, height, width]          f32
//      weights  after the part of convflu_gates.wgsl:
//               [direction, in channel, tap, out channel / 4] vec4 of four output channels of W
//      middle   [r_x . y, r_y . x, z_x, z_y, U_x * x, U_y * y][batch, channels, height, width]
// out: out_x, out_y  as x
// Workgroup memory: CHUNK input channels of the tile with its halo, and their weights (four bytes a
// tap and output channel); at most 16 KiB.

struct Sizes {
    batch: u32,
    channels: u32,
    height: u32,
    width: u32,
}

const TILE_W: u32 = {{tile_w}}u;
const QUAD_ROWS: u32 = {{quad_rows}}u; // quads of output channels of a workgroup
const CHUNK: u32 = {{chunk}}u; // input channels staged at a time
const HALO: u32 = {{halo}}u; // 0 or 1: kernel of 1 or 3
const SIDE: u32 = 2u * HALO + 1u;
const TAPS: u32 = SIDE * SIDE;
const SPAN_W: u32 = TILE_W + 2u * HALO;
const SPAN: u32 = SPAN_W * (4u + 2u * HALO); // pixels of a tile with its halo
const THREADS: u32 = {{threads}}u;

@group(0) @binding(0) var<storage, {{read}}> x: array<f32>;
@group(0) @binding(1) var<storage, {{read}}> y: array<f32>;
@group(0) @binding(2) var<storage, {{read}}> weights: array<vec4<f32>>;
@group(0) @binding(3) var<storage, {{read}}> middle: array<f32>;
@group(0) @binding(4) var<storage, read_write> out_x: array<f32>;
@group(0) @binding(5) var<storage, read_write> out_y: array<f32>;
@group(0) @binding(6) var<uniform> sizes: Sizes;

var<workgroup> tile: array<f32, {{tile}}>; // r . y
var<workgroup> staged: array<vec4<f32>, {{staged}}>; // W, four output channels each

// W * (r . y) at four pixels, for each of four output channels.
struct Sums {
    a: vec4<f32>,
    b: vec4<f32>,
    c: vec4<f32>,
    d: vec4<f32>,
}

// tanh is 1 in f32 beyond 10; some drivers compute it as a quotient of exponentials that overflow.
fn bounded_tanh(v: f32) -> f32 {
    return tanh(clamp(v, -15.0, 15.0));
}

fn gate_mix(own: f32, candidate: f32, z: f32) -> f32 {
    return {{gate_mix}};
}

fn add_tap(sums: ptr<function, Sums>, w: u32, v: vec4<f32>) {
    let four = staged[w];
    (*sums).a += four.x * v;
    (*sums).b += four.y * v;
    (*sums).c += four.z * v;
    (*sums).d += four.w * v;
}

// The three taps of one column of a 3x3 kernel: t is the topmost pixel, w the topmost tap.
fn add_column(sums: ptr<function, Sums>, w: u32, t: u32) {
    let v0 = vec4<f32>(tile[t], tile[t + SPAN_W], tile[t + 2u * SPAN_W], tile[t + 3u * SPAN_W]);
    let v1 = vec2<f32>(tile[t + 4u * SPAN_W], tile[t + 5u * SPAN_W]);
    add_tap(sums, w, v0);
    add_tap(sums, w + 3u * QUAD_ROWS, vec4<f32>(v0.yzw, v1.x));
    add_tap(sums, w + 6u * QUAD_ROWS, vec4<f32>(v0.zw, v1));
}

// One input channel of a 3x3 kernel: w its first weight, t the topmost left pixel.
fn add_channel_3(sums: ptr<function, Sums>, w: u32, t: u32) {
    add_column(sums, w, t);
    add_column(sums, w + QUAD_ROWS, t + 1u);
    add_column(sums, w + 2u * QUAD_ROWS, t + 2u);
}

// One input channel of a 1x1 kernel.
fn add_channel_1(sums: ptr<function, Sums>, w: u32, t: u32) {
    add_tap(sums, w, vec4<f32>(tile[t], tile[t + SPAN_W], tile[t + 2u * SPAN_W], tile[t + 3u * SPAN_W]));
}

// Where the features r . y, z and U * x of this direction start.
struct Parts {
    direction: u32,
    z: u32,
    u: u32,
}

fn finish(i: u32, parts: Parts, sum: f32) {
    let candidate = bounded_tanh(middle[parts.u + i] + sum);
    let z = middle[parts.z + i];
    if parts.direction == 0u {
        out_x[i] = gate_mix(x[i], candidate, z);
    } else {
        out_y[i] = gate_mix(y[i], candidate, z);
    }
}

// Four pixels of one output channel; i is the topmost.
fn finish_column(i: u32, parts: Parts, rows: u32, sum: vec4<f32>) {
    finish(i, parts, sum.x);
    if rows > 1u { finish(i + sizes.width, parts, sum.y); }
    if rows > 2u { finish(i + 2u * sizes.width, parts, sum.z); }
    if rows > 3u { finish(i + 3u * sizes.width, parts, sum.w); }
}

@compute @workgroup_size({{threads}})
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let channels = sizes.channels;
    let quads = (channels + 3u) / 4u;
    let map = sizes.height * sizes.width;
    let all = sizes.batch * channels * map;
    let tiles = (sizes.width + TILE_W - 1u) / TILE_W;
    let left = group.x % tiles * TILE_W;
    let top = group.x / tiles * 4u;
    let first_quad = group.y * QUAD_ROWS;
    let direction = group.z % 2u;
    let image = group.z / 2u * channels * map;
    let column = thread % TILE_W;
    let quad_row = thread / TILE_W;
    let first_weight = channels * TAPS * (3u * channels + direction * quads);

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
            var v = 0.0;
            if py < sizes.height && px < sizes.width {
                v = middle[direction * all + image + (first + k) * map + py * sizes.width + px];
            }
            tile[i] = v;
        }
        for (var i = thread; i < count * TAPS * QUAD_ROWS; i += THREADS) {
            let staged_quad = first_quad + i % QUAD_ROWS;
            if staged_quad < quads {
                staged[i] = weights[first_weight + (first * TAPS + i / QUAD_ROWS) * quads + staged_quad];
            }
        }
        workgroupBarrier();
        for (var k = 0u; k < count; k++) {
            add_channel_{{side}}(&sums, k * TAPS * QUAD_ROWS + quad_row, k * SPAN + column);
        }
    }

    let px = left + column;
    let row = (first_quad + quad_row) * 4u;
    if row < channels && px < sizes.width {
        let i = image + row * map + top * sizes.width + px;
        let parts = Parts(direction, (2u + direction) * all, (4u + direction) * all);
        let rows = min(4u, sizes.height - top);
        finish_column(i, parts, rows, sums.a);
        if row + 1u < channels { finish_column(i + map, parts, rows, sums.b); }
        if row + 2u < channels { finish_column(i + 2u * map, parts, rows, sums.c); }
        if row + 3u < channels { finish_column(i + 3u * map, parts, rows, sums.d); }
    }
}
