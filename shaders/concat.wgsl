// Two maps one after the other on the channels, each of one image for all or of one for each.
//
// A thread takes one number of an image; neighbouring threads read and write neighbouring numbers.
//
// in:  a    [1 or batch, a_numbers]     f32, numbers = channels * height * width
//      b    [1 or batch, b_numbers]
// out: out  [batch, a_numbers + b_numbers]

struct Sizes {
    a_numbers: u32,
    b_numbers: u32,
    a_stride: u32, // from an image of a to the next; 0 where all share one
    b_stride: u32,
}

const THREADS: u32 = {{threads}}u;

var<storage, {{read}}> a: array<f32>;
var<storage, {{read}}> b: array<f32>;
var<storage, read_write> out: array<f32>;
var<uniform> sizes: Sizes;

@compute @workgroup_size({{threads}})
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let i = group.x * THREADS + thread;
    let image = group.y;
    let to = image * (sizes.a_numbers + sizes.b_numbers) + i;
    if i < sizes.a_numbers {
        out[to] = a[image * sizes.a_stride + i];
    } else if i < sizes.a_numbers + sizes.b_numbers {
        out[to] = b[image * sizes.b_stride + i - sizes.a_numbers];
    }
}
