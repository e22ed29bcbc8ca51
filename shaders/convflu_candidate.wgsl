// Second of the two passes of a ConvFLU pair, after convflu_gates.wgsl: h = tanh(U * x + W * (r . y))
// and the mix of x and h by z. The product itself is in shared/tile_product.wgsl; its parts are the
// directions into x and into y.
//
// in:  x, y     [batch, channels, height, width]          f32
//      weights  after the part of convflu_gates.wgsl:
//               [direction, in channel, tap, out channel / 4] vec4 of four output channels of W
//      workspace  [r_x . y, r_y . x, z_x, z_y, U_x * x, U_y * y][batch, channels, height, width]
// out: out_x, out_y  as x

alias Value = f32; // of shared/gates.wgsl

var<storage, {{read}}> x: array<f32>;
var<storage, {{read}}> y: array<f32>;
var<storage, {{read}}> weights: array<vec4<f32>>;
var<storage, {{read}}> workspace: array<f32>;
var<storage, read_write> out_x: array<f32>;
var<storage, read_write> out_y: array<f32>;

// Numbers of one map of the workspace.
fn numbers() -> u32 {
    return sizes.batch * sizes.channels * sizes.height * sizes.width;
}

// The direction into x takes r_x . y, the one into y takes r_y . x.
fn blocks_of(part: u32) -> vec2<u32> {
    return vec2<u32>(part, part + 1u);
}

fn source_at(block: u32, i: u32) -> f32 {
    return workspace[block * numbers() + i];
}

// Of four output channels from `row` on.
fn weights_at(part: u32, block: u32, input: u32, tap: u32, row: u32) -> vec4<f32> {
    let quads = (sizes.channels + 3u) / 4u;
    let first = sizes.channels * TAPS * (3u * sizes.channels + part * quads);
    return weights[first + (input * TAPS + tap) * quads + row / 4u];
}

fn finish(part: u32, i: u32, sum: f32) {
    let candidate = bounded_tanh(workspace[(4u + part) * numbers() + i] + sum);
    let z = workspace[(2u + part) * numbers() + i];
    if part == 0u {
        out_x[i] = gate_mix(x[i], candidate, z);
    } else {
        out_y[i] = gate_mix(y[i], candidate, z);
    }
}

