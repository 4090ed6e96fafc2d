/** Vectors for what the CGN does not do yet; each goes from here as it comes. */
export const AWAITED: ReadonlySet<string> = new Set([
  "epoch-address-changed",
  "update-map",
  "update-stops",
  "update-third-party",
  "update-filter",
  "update-natpmp",
  "lease-ends",
  "lease-ends-epoch",
])
