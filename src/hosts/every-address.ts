/**
 * Has `listen` take all addresses of the machine, as Node does by itself: those of IPv6, which bring IPv4 with them, or
 * IPv4 alone on a machine that has no other.
 */
export function onEveryAddress<T>(listen: (hostname: string) => T): T {
  try {
    return listen("::");
  } catch (error) {
    const { code = "" } = error as { code?: string };
    if (!["EAFNOSUPPORT", "EADDRNOTAVAIL"].includes(code)) throw error;
    return listen("0.0.0.0");
  }
}
