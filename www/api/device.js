// @ts-check
/** @file Which device computes: WebGPU on a real adapter, else the CPU, and why. */

import { UnknownDeviceError } from './errors.js';

/** @typedef {import('./protocol.js').DeviceReport} DeviceReport */

/** Names that adapters give themselves when they compute on the CPU: slower there than our CPU path. */
const SOFTWARE = /swiftshader|llvmpipe|lavapipe|basic render|software/i;

/** The notice when an adapter was found and still gave no working device. */
export const WEBGPU_FAILED = 'WebGPU did not start, so the CPU computes: slower, with the same answers.';

/** The notice when a device that had answered stopped working. */
export const WEBGPU_LOST = 'The graphics device was lost, so the CPU computes: slower, with the same answers.';

/** The notice where WebGPU was asked for by name, and there is none. */
export const WEBGPU_NOT_OFFERED = 'WebGPU was asked for, but this browser offers none, so the CPU computes.';

/** The notice where there is none. */
export const WEBGPU_NONE = 'This browser offers no WebGPU, so the CPU computes: slower, with the same answers.';

/** The notice where the adapter computes on the CPU itself. */
export const WEBGPU_SOFTWARE = 'This browser’s WebGPU runs in software, so the CPU computes directly, which is faster.';

/** @type {DeviceReport} */
const CPU = { kind: 'cpu', label: 'CPU', notice: null };

/**
 * Chooses the device; starts nothing.
 * @param {string} wish `auto`, `webgpu` or `cpu`
 * @returns {Promise<DeviceReport>}
 */
export async function chooseDevice(wish) {
  if (wish === 'cpu') return CPU;
  if (wish !== 'auto' && wish !== 'webgpu') throw UnknownDeviceError.of(wish);
  const adapter = await findAdapter();
  if (!adapter) {
    return cpuBecause(wish === 'webgpu' ? WEBGPU_NOT_OFFERED : WEBGPU_NONE);
  }
  if (wish === 'auto' && isSoftware(adapter)) {
    return cpuBecause(WEBGPU_SOFTWARE);
  }
  return { kind: 'webgpu', label: `WebGPU${named(adapter)}`, notice: null };
}

/**
 * The CPU as the device, with the reason.
 * @param {string} notice
 * @returns {DeviceReport}
 */
export function cpuBecause(notice) {
  return { ...CPU, notice };
}

/** @type {DeviceReport} the CPU as the device, until WebGPU is ready */
export const CPU_MEANWHILE = { ...CPU, label: 'CPU, until WebGPU is ready' };

/** @returns {Promise<any>} a GPUAdapter, or null */
async function findAdapter() {
  const gpu = /** @type {any} */ (navigator).gpu;
  if (!gpu) return null;
  try {
    return await gpu.requestAdapter({ powerPreference: 'high-performance' });
  } catch {
    return null;
  }
}

/** @param {any} adapter */
function isSoftware(adapter) {
  const info = adapter.info ?? {};
  if (info.isFallbackAdapter || adapter.isFallbackAdapter) return true;
  return [info.vendor, info.architecture, info.device, info.description].some(
    (name) => typeof name === 'string' && SOFTWARE.test(name),
  );
}

/** @param {any} adapter */
function named(adapter) {
  const info = adapter.info ?? {};
  const name = info.description || [info.vendor, info.architecture].filter(Boolean).join(' ');
  return name ? ` (${name})` : '';
}
