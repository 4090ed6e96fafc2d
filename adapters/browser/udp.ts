import type { Udp } from "../udp.ts"

/** {@link Udp} where there is none: each bind says so. */
export const browserUdp: Udp = {
  limits: [],
  bind: async () => ({ ok: false, error: { code: "EAFNOSUPPORT", text: "a browser has no UDP sockets" } }),
}
