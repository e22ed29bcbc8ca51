// @vladmandic/human with the parts that an expression needs: its detector and its expression network.

import { Human } from '/libraries/@vladmandic/human/dist/human.esm.js';
import { offer } from './offer.js';

const OFF = { enabled: false };
let human;

await offer({
  async load(backend) {
    human = new Human({
      backend,
      debug: false,
      wasmPath: '/libraries/@tensorflow/tfjs-backend-wasm/dist/',
      modelBasePath: '/libraries/@vladmandic/human/models/',
      cacheSensitivity: 0,
      filter: OFF,
      gesture: OFF,
      body: OFF,
      hand: OFF,
      object: OFF,
      segmentation: OFF,
      face: {
        enabled: true,
        detector: { maxDetected: 1, rotation: false },
        mesh: OFF,
        attention: OFF,
        iris: OFF,
        description: OFF,
        antispoof: OFF,
        liveness: OFF,
        emotion: { enabled: true },
      },
    });
    await human.load();
    return human.tf.getBackend();
  },
  async answer(file) {
    const image = await createImageBitmap(file);
    const { face, error } = await human.detect(image);
    if (error) throw new Error(error);
    const best = face[0]?.emotion?.toSorted((a, b) => b.score - a.score)[0];
    return best ? { expression: best.emotion, probability: best.score } : null;
  },
});
