import type { Signal } from "@preact/signals"
import type { ComponentChildren } from "preact"

/** A box to tick, beside what it means. */
export const Check = ({ on, children }: { readonly on: Signal<boolean>; readonly children: ComponentChildren }) => (
  <label class="check">
    <input
      type="checkbox"
      checked={on.value}
      onChange={(event) => {
        on.value = event.currentTarget.checked
      }}
    />{" "}
    {children}
  </label>
)

/** What is shared or saved may tell of nobody. */
export const AnonymousCheck = ({ on }: { readonly on: Signal<boolean> }) => (
  <Check on={on}>other addresses, nonces and names in it; addresses that share a prefix still do</Check>
)
