// Runs where sound is made: hands on what comes in, in blocks of a tenth of a second or so.

class Blocks extends AudioWorkletProcessor {
  constructor() {
    super();
    this.block = new Float32Array(Math.ceil(sampleRate / 10));
    this.count = 0;
  }

  process([[samples]]) {
    for (const sample of samples ?? []) {
      this.block[this.count] = sample;
      this.count += 1;
      if (this.count === this.block.length) {
        this.port.postMessage(this.block.slice());
        this.count = 0;
      }
    }
    return true;
  }
}

registerProcessor("blocks", Blocks);
