// Times every dispatch of a page on the GPU's own clock. Runs in the page before its first script: while
// `profiler` is on, each dispatch gets a compute pass of its own, since WebGPU takes times at a pass's ends.
(() => {
  /** Two for each dispatch; more dispatches than that are refused. */
  const QUERIES = 4096;
  const names = new WeakMap();
  /** @type {GPUDevice | undefined} */
  let device;
  let times;
  /** @type {string[] | null} the kernels dispatched since `start`, in order */
  let dispatched = null;

  const wrap = (Class, name, make) => {
    const method = Class.prototype[name];
    Class.prototype[name] = make(method);
  };

  wrap(GPUAdapter, 'requestDevice', (request) => async function (descriptor = {}) {
    const features = new Set([...(descriptor.requiredFeatures ?? []), 'timestamp-query']);
    device = await request.call(this, { ...descriptor, requiredFeatures: [...features] });
    times = device.createQuerySet({ type: 'timestamp', count: QUERIES });
    return device;
  });
  wrap(GPUDevice, 'createShaderModule', (create) => function (descriptor) {
    const module = create.call(this, descriptor);
    // Our shaders say in their first line what they compute; Burn's are generated.
    const comment = /^\s*\/\/ ?(.*)/.exec(descriptor.code)?.[1];
    names.set(module, comment ?? "Burn's own");
    return module;
  });
  wrap(GPUDevice, 'createComputePipeline', (create) => function (descriptor) {
    const pipeline = create.call(this, descriptor);
    names.set(pipeline, names.get(descriptor.compute.module));
    return pipeline;
  });
  wrap(GPUCommandEncoder, 'beginComputePass', (begin) => function (descriptor) {
    return dispatched ? new Passes(this, begin) : begin.call(this, descriptor);
  });

  /** Stands for one compute pass, and is one for each of its dispatches. */
  class Passes {
    constructor(encoder, begin) {
      Object.assign(this, { encoder, begin, groups: new Map() });
    }
    setPipeline(pipeline) {
      this.pipeline = pipeline;
    }
    setBindGroup(index, ...group) {
      this.groups.set(index, group);
    }
    dispatchWorkgroups(...count) {
      const first = 2 * dispatched.length;
      if (first + 2 > QUERIES) throw new Error('too many dispatches to time');
      const pass = this.begin.call(this.encoder, {
        timestampWrites: {
          querySet: times,
          beginningOfPassWriteIndex: first,
          endOfPassWriteIndex: first + 1,
        },
      });
      pass.setPipeline(this.pipeline);
      for (const [index, group] of this.groups) pass.setBindGroup(index, ...group);
      pass.dispatchWorkgroups(...count);
      pass.end();
      dispatched.push(names.get(this.pipeline));
    }
    end() {}
  }

  globalThis.profiler = {
    start() {
      dispatched = [];
    },
    /** @returns {Promise<{kernel: string, milliseconds: number}[]>} one for each dispatch, in order */
    async stop() {
      const kernels = dispatched;
      dispatched = null;
      if (kernels.length === 0) return [];
      const size = 16 * kernels.length;
      const resolved = device.createBuffer({ size, usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC });
      const read = device.createBuffer({ size, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
      const encoder = device.createCommandEncoder();
      encoder.resolveQuerySet(times, 0, 2 * kernels.length, resolved, 0);
      encoder.copyBufferToBuffer(resolved, 0, read, 0, size);
      device.queue.submit([encoder.finish()]);
      await read.mapAsync(GPUMapMode.READ);
      const stamps = new BigUint64Array(read.getMappedRange().slice(0));
      read.destroy();
      resolved.destroy();
      return kernels.map((kernel, i) => ({
        kernel,
        milliseconds: Number(stamps[2 * i + 1] - stamps[2 * i]) / 1e6,
      }));
    },
  };
})();
