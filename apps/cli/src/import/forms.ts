/** What people call a thing or a place: as the catalogue's own codes. */
export const CODE = /^[a-z0-9][a-z0-9-]{0,59}$/;

/** How a cell begins that a spreadsheet runs instead of showing it. */
export const FORMULA = /^[=+\-@\t\r]/;
