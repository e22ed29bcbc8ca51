// First of the backward kernels of one direction of a ConvFLU pair: from the gradient of x' to those
// of the pre-activations of h and z, and to the part of x's that comes through the mix.
//
// One thread an element. With t the share of the candidate (z or 1 - z), x' = x + t . (h - x), so
// that h need not be kept: t . h = x' - (1 - t) . x, and the gradient of z takes
// t . (h - x) = x' - x. Where t is small, h is lost to rounding, but h enters as t . (1 - h . h) only:
// an error of the rounding of x', and none beyond the bounds of a tanh.
//
// in:  gradient  of x', as x; own  x; output  x'   [batch, channels, height, width]  f32
//      gates     [r_x, z_x, r_y, z_y] of such maps
// out: deltas    [of h, of z, of r] of such maps (of r: convflu_grad_leak.wgsl); d_own  as x

struct Sizes {
    numbers: u32, // of a map: batch * channels * height * width
    z: u32, // where this direction's z starts in the gates
}

var<storage, {{read}}> gradient: array<{{element}}>;
var<storage, {{read}}> own: array<{{element}}>;
var<storage, {{read}}> output: array<{{element}}>;
var<storage, {{read}}> gates: array<{{element}}>;
var<storage, read_write> deltas: array<{{element}}>;
var<storage, read_write> d_own: array<{{element}}>;
var<uniform> sizes: Sizes;

// Keeps a share of 0 from dividing; the quotient is bounded anyway.
const LEAST_SHARE: {{element}} = {{element}}(1e-30);

@compute @workgroup_size({{threads}})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    if i >= sizes.numbers {
        return;
    }
    let g = gradient[i];
    let x = own[i];
    let after = output[i];
    let z = gates[sizes.z + i];
    let share = {{share}};
    let rest = {{rest}};
    let one = {{element}}(1.0);
    let h = clamp((after - rest * x) / max(share, LEAST_SHARE), -one, one);
    deltas[i] = g * share * (one - h * h);
    deltas[sizes.numbers + i] = {{sign}}g * (after - x) * rest;
    d_own[i] = g * rest;
}
