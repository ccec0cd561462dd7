// Numbers in rows of equal width inside large typed arrays: cheap to count in, no copying when they grow, no object
// per row for the garbage collector.

const rowsPerBlock = 1024;

export type Slots = {
  /** A row of zeros. */
  take(): number;
  give(row: number): void;
  add(row: number, column: number, amount: number): void;
  get(row: number, column: number): number;
};

export const createSlots = (width: number): Slots => {
  const blocks: Float64Array[] = [];
  const free: number[] = [];
  let used = 0;
  const blockOf = (row: number): Float64Array => {
    const block = blocks[Math.floor(row / rowsPerBlock)];
    if (block === undefined) throw new RangeError(`row ${row} was never taken`);
    return block;
  };
  return {
    take() {
      const row = free.pop();
      if (row !== undefined) return row;
      if (used === blocks.length * rowsPerBlock) blocks.push(new Float64Array(rowsPerBlock * width));
      used += 1;
      return used - 1;
    },
    give(row) {
      const start = (row % rowsPerBlock) * width;
      blockOf(row).fill(0, start, start + width);
      free.push(row);
    },
    add(row, column, amount) {
      const block = blockOf(row);
      const at = (row % rowsPerBlock) * width + column;
      block[at] = (block[at] ?? 0) + amount;
    },
    get(row, column) {
      return blockOf(row)[(row % rowsPerBlock) * width + column] ?? 0;
    },
  };
};
