// SPDX-FileCopyrightText: 2026 The xenograft authors
// SPDX-License-Identifier: MIT
// Images per second of an ONNX file on random images, the last number printed, by ONNX Runtime:
// node onnx_peer.js FILE.onnx BATCH [SIZE [THREADS [SECONDS]]]
// BATCH and SIZE are those that the file was exported with. onnxruntime-node is looked for
// from the folder that node is started in.
const {createRequire} = require('module');
const {performance} = require('perf_hooks');

async function main([file, batch, size = '224', threads = '2', seconds = '4']) {
  if (!file || !(Number(batch) > 0)) throw new Error('expected FILE.onnx BATCH');
  const runtime = createRequire(process.cwd() + '/')('onnxruntime-node');
  const session = await runtime.InferenceSession.create(file, {
    executionProviders: ['cpu'],
    graphOptimizationLevel: 'all',
    intraOpNumThreads: Number(threads),
    interOpNumThreads: 1,
  });
  const dims = [Number(batch), 3, Number(size), Number(size)];
  const values = Float32Array.from({length: dims.reduce((a, b) => a * b)}, Math.random);
  const inputs = {[session.inputNames[0]]: new runtime.Tensor('float32', values, dims)};
  const times = [];
  let total = 0;
  for (let run = -2; run < 3 || total < Number(seconds); run++) {
    const before = performance.now();
    await session.run(inputs);
    const spent = (performance.now() - before) / 1000;
    if (run < 0) continue;
    times.push(spent);
    total += spent;
  }
  times.sort((a, b) => a - b);
  console.log(`${file}: ${(dims[0] / times[times.length >> 1]).toFixed(2)}`);
}

main(process.argv.slice(2)).catch(failure => {
  console.error(`onnx_peer.js: ${failure.message}`);
  process.exit(1);
});
