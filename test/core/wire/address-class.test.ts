import assert from "node:assert/strict"
import { test } from "node:test"
import { ANY6, isLinkLocal6, parseAddress } from "../../../core/wire/index.ts"

test("fe80::/10 is link-local IPv6, and nothing beside it (RFC 4291 section 2.5.6)", () => {
  const is = (text: string): boolean => isLinkLocal6(parseAddress(text) ?? ANY6)
  for (const text of ["fe80::", "fe80::1", "fe90:1::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff"])
    assert.ok(is(text), text)
  for (const text of ["fe7f:ffff::", "fec0::", "fd80::1", "::1", "ff02::1", "169.254.1.1", "254.128.0.1"])
    assert.ok(!is(text), text)
})
