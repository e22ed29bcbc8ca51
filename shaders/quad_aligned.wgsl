
// Four adjacent pixels, where the pixels of a map are a multiple of four: one vec4, never split
// between two maps. (Part of convflu_1x1.wgsl; quad_any.wgsl serves the other maps.)

const NOWHERE: u32 = 0xffffffffu;

// Index of the quad in channel 0 of its image.
fn place_of(pixel: u32) -> u32 {
    let image = pixel / sizes.map;
    let quad = (image * sizes.channels * sizes.map + pixel - image * sizes.map) / 4u;
    return select(NOWHERE, quad, pixel < sizes.pixels);
}

fn load_x(place: u32, channel: u32) -> vec4<f32> {
    if place == NOWHERE {
        return vec4<f32>();
    }
    return x[place + channel * (sizes.map / 4u)];
}

fn load_y(place: u32, channel: u32) -> vec4<f32> {
    if place == NOWHERE {
        return vec4<f32>();
    }
    return y[place + channel * (sizes.map / 4u)];
}

fn store_x(place: u32, channel: u32, v: vec4<f32>) {
    if place != NOWHERE {
        out_x[place + channel * (sizes.map / 4u)] = v;
    }
}

fn store_y(place: u32, channel: u32, v: vec4<f32>) {
    if place != NOWHERE {
        out_y[place + channel * (sizes.map / 4u)] = v;
    }
}

{{if_gates}}fn store_gate(place: u32, channel: u32, gate: u32, v: vec4<f32>) {
{{if_gates}}    if place != NOWHERE {
{{if_gates}}        let all = sizes.pixels * sizes.channels / 4u;
{{if_gates}}        gates[gate * all + place + channel * (sizes.map / 4u)] = v;
{{if_gates}}    }
{{if_gates}}}
