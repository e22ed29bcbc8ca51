// The mean of every map, then a linear layer over the means, then an activation.
//
// A workgroup takes one output of one image: its threads stride over the inputs, sum up each one's
// map, and add their products up in workgroup memory. The maps are read once an output, which are
// few (a classifier's) or the maps a single pixel (a target's features).
//
// in:  x        [batch, inputs, map]       f32, map = height * width
//      weights  [inputs + 1, outputs]      the biases last
// out: out      [batch, outputs]
// Workgroup memory: four bytes a thread. Bank conflicts: none.

struct Sizes {
    inputs: u32,
    map: u32,
    outputs: u32,
    slope: f32, // of the activation below zero: 1 for none, 0 for ReLU
}

const THREADS: u32 = {{threads}}u;

var<storage, {{read}}> x: array<f32>;
var<storage, {{read}}> weights: array<f32>;
var<storage, read_write> out: array<f32>;
var<uniform> sizes: Sizes;

var<workgroup> partial: array<f32, {{threads}}>;

@compute @workgroup_size({{threads}})
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let output = group.x;
    let image = group.y;
    var sum = 0.0;
    for (var input = thread; input < sizes.inputs; input += THREADS) {
        let first = (image * sizes.inputs + input) * sizes.map;
        var total = 0.0;
        for (var i = 0u; i < sizes.map; i++) {
            total += x[first + i];
        }
        sum += total * weights[input * sizes.outputs + output];
    }
    partial[thread] = sum;
    workgroupBarrier();
    if thread > 0u {
        return;
    }
    var all = 0.0;
    for (var i = 0u; i < THREADS; i++) {
        all += partial[i];
    }
    let v = all / f32(sizes.map) + weights[sizes.inputs * sizes.outputs + output];
    out[image * sizes.outputs + output] = select(sizes.slope * v, v, v > 0.0);
}
