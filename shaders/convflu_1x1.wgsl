// A whole ConvFLU pair with 1x1 kernels in one pass: r, h, z and the mix, in both directions.
//
// A workgroup takes 16 pixels (any pixels: batch and map are one axis here) with all their
// channels. A thread holds one output channel at a quad, four adjacent pixels, for both directions.
//
// in:  x, y     [batch, channels, map] vec4        map = height * width / 4
//      weights  [in channel, 3, out channel] vec4  see src/kernels/wgsl/convflu/weights.rs
// out: out_x, out_y  as x; gates (variant)  [r_x, z_x, r_y, z_y][batch, channels, map]
// Workgroup memory: 128 bytes a channel for the pixels, 40 bytes a channel for each of the CHUNK
// input channels whose weights are staged; at most 16 KiB (channels <= ROWS <= 64).
// Bank conflicts: none. The four quads of a row read adjacent vec4s, the eight rows of 32 threads
// read adjacent vec4s of weights.

struct Sizes {
    channels: u32,
    map: u32, // quads of a map
    quads: u32, // batch * map
}

const ROWS: u32 = {{rows}}u; // output channels of a workgroup, >= channels
const CHUNK: u32 = {{chunk}}u; // input channels staged at a time
const QUADS: u32 = 4u; // of a workgroup
const GRID: u32 = {{grid}}u; // workgroups in a row of the dispatch

alias Value = vec4<f32>; // of shared/gates.wgsl

var<storage, {{read}}> x: array<vec4<f32>>;
var<storage, {{read}}> y: array<vec4<f32>>;
var<storage, {{read}}> weights: array<vec4<f32>>;
var<storage, read_write> out_x: array<vec4<f32>>;
var<storage, read_write> out_y: array<vec4<f32>>;
{{if_gates}}var<storage, read_write> gates: array<vec4<f32>>;
var<uniform> sizes: Sizes;

var<workgroup> tile_x: array<vec4<f32>, {{tile}}>; // x, later r_x . y
var<workgroup> tile_y: array<vec4<f32>, {{tile}}>; // y, later r_y . x
var<workgroup> gates_x: array<vec4<f32>, {{staged}}>; // r from x, r from y, z from x, z from y
var<workgroup> gates_y: array<vec4<f32>, {{staged}}>; // r from y, r from x, z from y, z from x
var<workgroup> candidates: array<vec2<f32>, {{staged}}>; // (U_x, U_y), later (W_x, W_y)

@compute @workgroup_size({{threads}})
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let channels = sizes.channels;
    let quad = thread % QUADS;
    let present = thread / QUADS < channels;
    let row = min(thread / QUADS, channels - 1u);
    let here = row * QUADS + quad;
    // Quads beyond the last one repeat it, and are not stored.
    let wanted = (group.y * GRID + group.x) * QUADS + quad;
    let at = min(wanted, sizes.quads - 1u);
    let place = (at / sizes.map * channels + row) * sizes.map + at % sizes.map;

    let x_here = x[place];
    let y_here = y[place];
    if present {
        tile_x[here] = x_here;
        tile_y[here] = y_here;
    }

    var r_x = vec4<f32>();
    var z_x = vec4<f32>();
    var h_x = vec4<f32>();
    var r_y = vec4<f32>();
    var z_y = vec4<f32>();
    var h_y = vec4<f32>();
    let staged_row = thread % ROWS;

    // Gates and U: one pass over the input channels of both branches.
    for (var first = 0u; first < channels; first += CHUNK) {
        let count = min(CHUNK, channels - first);
        workgroupBarrier();
        if staged_row < channels {
            for (var k = thread / ROWS; k < count; k += QUADS) {
                let w = (first + k) * 3u * channels + staged_row;
                gates_x[k * ROWS + staged_row] = weights[w];
                gates_y[k * ROWS + staged_row] = weights[w + channels];
                candidates[k * ROWS + staged_row] = weights[w + 2u * channels].xy;
            }
        }
        workgroupBarrier();
        for (var k = 0u; k < count; k++) {
            let xv = tile_x[(first + k) * QUADS + quad];
            let yv = tile_y[(first + k) * QUADS + quad];
            let a = gates_x[k * ROWS + row];
            let b = gates_y[k * ROWS + row];
            let u = candidates[k * ROWS + row];
            r_x += a.x * xv + a.y * yv;
            z_x += a.z * xv + a.w * yv;
            r_y += b.x * yv + b.y * xv;
            z_y += b.z * yv + b.w * xv;
            h_x += u.x * xv;
            h_y += u.y * yv;
        }
    }

    r_x = sigmoid(r_x);
    z_x = sigmoid(z_x);
    r_y = sigmoid(r_y);
    z_y = sigmoid(z_y);
    workgroupBarrier();
    if present {
        tile_x[here] = r_x * y_here;
        tile_y[here] = r_y * x_here;
    }

    // W on the features that r let through.
    for (var first = 0u; first < channels; first += CHUNK) {
        let count = min(CHUNK, channels - first);
        workgroupBarrier();
        if staged_row < channels {
            for (var k = thread / ROWS; k < count; k += QUADS) {
                let w = (first + k) * 3u * channels + staged_row;
                candidates[k * ROWS + staged_row] = weights[w + 2u * channels].zw;
            }
        }
        workgroupBarrier();
        for (var k = 0u; k < count; k++) {
            let w = candidates[k * ROWS + row];
            h_x += w.x * tile_x[(first + k) * QUADS + quad];
            h_y += w.y * tile_y[(first + k) * QUADS + quad];
        }
    }

    if present && wanted < sizes.quads {
        out_x[place] = gate_mix(x_here, bounded_tanh(h_x), z_x);
        out_y[place] = gate_mix(y_here, bounded_tanh(h_y), z_y);
{{if_gates}}        let all = sizes.quads * channels;
{{if_gates}}        gates[place] = r_x;
{{if_gates}}        gates[all + place] = z_x;
{{if_gates}}        gates[2u * all + place] = r_y;
{{if_gates}}        gates[3u * all + place] = z_y;
    }
}
