// A convolution over a tile of pixels (1x1, or 3x3 with a padding of 1): the part that
// convflu_candidate.wgsl, convflu_grad_leak.wgsl and convflu_grad_inputs.wgsl share. They say what is
// read (`blocks_of`, `source_at`, `weights_at`) and what becomes of a sum (`finish`).
//
// A workgroup takes four times QUAD_ROWS output channels of a tile of TILE_W columns by four rows
// of pixels. A thread holds four output channels at the four pixels of one column. The input
// channels come in blocks of `channels`; `part` tells apart several products of one dispatch.
//
// Workgroup memory: CHUNK input channels of the tile with its halo, and their weights (four bytes a
// tap and output channel); at most 16 KiB.

struct Sizes {
    batch: u32,
    channels: u32,
    height: u32,
    width: u32,
    r: u32, // where a direction's r starts in the gates, for convflu_grad_leak.wgsl
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
const PARTS: u32 = {{parts}}u; // products of a dispatch

var<uniform> sizes: Sizes;

var<workgroup> tile: array<f32, {{tile}}>;
var<workgroup> staged: array<vec4<f32>, {{staged}}>; // weights, four output channels each

// The sums of four output channels, at four pixels each.
struct Sums {
    a: vec4<f32>,
    b: vec4<f32>,
    c: vec4<f32>,
    d: vec4<f32>,
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

// Four pixels of one output channel; i is the topmost.
fn finish_column(part: u32, i: u32, rows: u32, sum: vec4<f32>) {
    finish(part, i, sum.x);
    if rows > 1u { finish(part, i + sizes.width, sum.y); }
    if rows > 2u { finish(part, i + 2u * sizes.width, sum.z); }
    if rows > 3u { finish(part, i + 3u * sizes.width, sum.w); }
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
    let first_row = group.y * QUAD_ROWS * 4u;
    let part = group.z % PARTS;
    let image = group.z / PARTS * channels * map;
    let column = thread % TILE_W;
    let quad_row = thread / TILE_W;
    let blocks = blocks_of(part);

    var sums = Sums();
    for (var block = blocks.x; block < blocks.y; block++) {
        for (var first = 0u; first < channels; first += CHUNK) {
            let count = min(CHUNK, channels - first);
            workgroupBarrier();
            for (var i = thread; i < count * SPAN; i += THREADS) {
                let spot = i % SPAN;
                // Left of and above the map these wrap round to huge numbers: outside as well.
                let py = top + spot / SPAN_W - HALO;
                let px = left + spot % SPAN_W - HALO;
                var v = 0.0;
                if py < sizes.height && px < sizes.width {
                    v = source_at(block, image + (first + i / SPAN) * map + py * sizes.width + px);
                }
                tile[i] = v;
            }
            for (var i = thread; i < count * TAPS * QUAD_ROWS; i += THREADS) {
                let spot = i / QUAD_ROWS;
                let row = first_row + i % QUAD_ROWS * 4u;
                if row < channels {
                    staged[i] = weights_at(part, block, first + spot / TAPS, spot % TAPS, row);
                }
            }
            workgroupBarrier();
            for (var k = 0u; k < count; k++) {
                add_channel_{{side}}(&sums, k * TAPS * QUAD_ROWS + quad_row, k * SPAN + column);
            }
        }
    }

    let px = left + column;
    let row = first_row + quad_row * 4u;
    if row < channels && px < sizes.width {
        let i = image + row * map + top * sizes.width + px;
        let rows = min(4u, sizes.height - top);
        finish_column(part, i, rows, sums.a);
        if row + 1u < channels { finish_column(part, i + map, rows, sums.b); }
        if row + 2u < channels { finish_column(part, i + 2u * map, rows, sums.c); }
        if row + 3u < channels { finish_column(part, i + 3u * map, rows, sums.d); }
    }
}
