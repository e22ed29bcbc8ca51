// What the ConvFLU pair's shaders do to a sum, over numbers of their own alias Value: f32 or vec4<f32>.

fn sigmoid(v: Value) -> Value {
    return 1.0 / (1.0 + exp(min(-v, Value(80.0))));
}

// tanh is 1 in f32 beyond 10; some drivers compute it as a quotient of exponentials that overflow.
fn bounded_tanh(v: Value) -> Value {
    return tanh(clamp(v, Value(-15.0), Value(15.0)));
}

fn gate_mix(own: Value, candidate: Value, z: Value) -> Value {
    return {{gate_mix}};
}
