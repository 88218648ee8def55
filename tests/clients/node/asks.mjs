// Reads asks from standard input, one a line, and prints what was heard of each, one a line: see ../scene.py.
import { createInterface } from 'node:readline';

export async function playEach(play) {
  for await (const line of createInterface({ input: process.stdin })) {
    console.log(JSON.stringify(await play(JSON.parse(line))));
  }
}
