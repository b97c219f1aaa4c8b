//! What the tracking of surface points asks of the renderer.

use std::sync::{Arc, Mutex, PoisonError};

use diorama_postproc::tracking::SurfaceVisibility;
use diorama_render::Renderer;
use diorama_render::integrator::visibility::VisibilityTracer;
use diorama_synth::frame::{Sight, SurfacePoint};
use glam::DVec2;

/// The renderer as an answer to what is seen where.
pub struct Eyes<'a> {
    renderer: &'a Renderer,
    /// Of the frame asked for last: its trees take time to build.
    at_hand: Mutex<Option<(u32, Arc<VisibilityTracer>)>>,
}

impl<'a> Eyes<'a> {
    /// Of the Shot of `renderer`.
    pub fn new(renderer: &'a Renderer) -> Self {
        Self {
            renderer,
            at_hand: Mutex::new(None),
        }
    }

    fn tracer(&self, frame: u32) -> Arc<VisibilityTracer> {
        let mut at_hand = self.at_hand.lock().unwrap_or_else(PoisonError::into_inner);
        match &*at_hand {
            Some((known, tracer)) if *known == frame => tracer.clone(),
            _ => {
                let tracer = Arc::new(self.renderer.visibility(i64::from(frame)));
                *at_hand = Some((frame, tracer.clone()));
                tracer
            }
        }
    }
}

impl SurfaceVisibility for Eyes<'_> {
    fn surfaces_at(&self, frame: u32, positions: &[DVec2]) -> Vec<SurfacePoint> {
        self.tracer(frame).surfaces_at(positions)
    }

    fn are_visible(&self, frame: u32, sights: &[Sight]) -> Vec<bool> {
        self.tracer(frame).are_visible(sights)
    }
}
