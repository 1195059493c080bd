/**
 * Frees what nobody else has, ahead of the collector, where the runtime knows how (ES2024): so the next who needs memory
 * finds it again, where it would take some that is new, which may cost more than all that is done with it.
 */
export function free({ buffer, length }: Uint8Array): void {
  const isWhole = length > 0 && buffer.byteLength === length;
  if (isWhole) (buffer as ArrayBuffer & { transfer?(length: number): ArrayBuffer }).transfer?.(0);
}
