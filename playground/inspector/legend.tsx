import { CLASS_WORDS, FIELD_CLASSES } from "../model/inspect/index.ts"

/** What the colours and patterns stand for. */
export const Legend = () => (
  <ul class="legend" aria-label="Classes of fields">
    {FIELD_CLASSES.map((one) => (
      <li key={one} data-class={one}>
        <span class="swatch" aria-hidden="true" /> {CLASS_WORDS[one]}
      </li>
    ))}
  </ul>
)
