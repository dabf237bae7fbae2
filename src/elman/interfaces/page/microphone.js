// Sound from a microphone, in blocks, at a rate.
import { Problem } from "/page/problems.js";

/**
 * Listen until it is stopped.
 *
 * @param {number} rate Samples a second.
 * @param {(block: Float32Array) => void} hear Gets the samples as they come.
 * @returns {Promise<() => Promise<void>>} Stops it.
 */
export async function listen(rate, hear) {
  if (!navigator.mediaDevices) throw new Problem(null, "microphone.none");
  let found;
  try {
    found = await navigator.mediaDevices.getUserMedia({ audio: true });
  } catch {
    throw new Problem(null, "microphone.refused");
  }
  let context;
  const stop = async () => {
    found.getTracks().forEach((track) => track.stop());
    await context?.close();
  };
  try {
    context = new AudioContext({ sampleRate: rate });
    await context.audioWorklet.addModule("/page/blocks.js");
    const blocks = new AudioWorkletNode(context, "blocks", { channelCount: 1, channelCountMode: "explicit" });
    blocks.port.onmessage = ({ data }) => hear(data);
    context.createMediaStreamSource(found).connect(blocks).connect(context.destination);
  } catch (error) {
    await stop();
    throw new Problem(error.message); // also where the browser calls it an abort, which nobody would see
  }
  return stop;
}
