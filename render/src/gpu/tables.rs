//! The small tables that shaders look things up in, in one buffer.

use crate::kernels::camera::{FILTER_TABLE, FilterTable};
use crate::kernels::tables::{COARSE, FINE, Tables};
use crate::scene::texture::{SRGB_ENTRIES, srgb_to_linear};

/// Where each table begins.
pub(super) struct TableLayout {
    pub(super) reflection: usize,
    pub(super) reflection_average: usize,
    pub(super) dielectric_share: usize,
    pub(super) glass_enter: usize,
    pub(super) glass_leave: usize,
    pub(super) glass_enter_average: usize,
    pub(super) glass_leave_average: usize,
    pub(super) sheen: usize,
    pub(super) filter: usize,
    pub(super) srgb: usize,
    length: usize,
}

impl TableLayout {
    pub(super) fn new() -> Self {
        let mut next = 0;
        let mut place = |count: usize| {
            let at = next;
            next += count;
            at
        };
        Self {
            reflection: place(FINE * FINE),
            reflection_average: place(FINE),
            dielectric_share: place(COARSE * COARSE * COARSE),
            glass_enter: place(COARSE * COARSE * COARSE),
            glass_leave: place(COARSE * COARSE * COARSE),
            glass_enter_average: place(COARSE * COARSE),
            glass_leave_average: place(COARSE * COARSE),
            sheen: place(FINE * FINE),
            filter: place(FILTER_TABLE + 1),
            srgb: place(SRGB_ENTRIES),
            length: next,
        }
    }
}

/// The contents.
pub(super) fn values(albedos: &Tables, filter: &FilterTable) -> Vec<f32> {
    let layout = TableLayout::new();
    let mut all = Vec::with_capacity(layout.length);
    for table in albedos.all() {
        all.extend_from_slice(table);
    }
    all.extend_from_slice(filter.inverse());
    all.extend_from_slice(srgb_to_linear());
    debug_assert_eq!(all.len(), layout.length);
    all
}
