/** The one in the middle; of an even number, the upper of the two. */
export const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

/** A ratio round by round: its median, and from where to where it went. */
export function ratio(of, to) {
  const ratios = of.map((number, i) => number / to[i]);
  return { median: median(ratios), least: Math.min(...ratios), most: Math.max(...ratios) };
}
