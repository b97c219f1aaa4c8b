//! One frame as tracking sees it: posed meshes and a camera.

use diorama_synth::frame::SurfacePoint;
use diorama_synth::geometry::{PosedGeometry, ShotGeometry};
use glam::{DVec2, DVec3};

use crate::camera::Projection;

/// What is tracked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TrackedPoint {
    /// A point of an object.
    Surface(SurfacePoint),
    /// A point of the environment: a unit direction in the world, moved by camera rotation alone.
    Direction(DVec3),
}

impl TrackedPoint {
    /// Its surface identity; instance 0 for the environment.
    pub fn surface(&self) -> SurfacePoint {
        match self {
            Self::Surface(surface) => *surface,
            Self::Direction(_) => SurfacePoint::default(),
        }
    }
}

/// Where a point is in one frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PointState {
    /// Pixels from the top-left corner; NaN behind the camera.
    pub position: DVec2,
    /// Along the camera axis, metres; infinite for the environment, NaN behind the camera.
    pub depth: f64,
    /// From the camera, metres; infinite for the environment.
    pub distance: f64,
    /// World, metres; NaN for the environment.
    pub world: DVec3,
    /// OpenCV camera (x right, y down, z forward), metres; NaN for the environment.
    pub camera: DVec3,
    /// It is the nearest surface at its position.
    pub is_visible: bool,
    /// How sure all this is, 0 to 1: 1 where it is known, less where a tracker found it.
    pub confidence: f64,
}

impl Default for PointState {
    /// Nowhere, unseen, for certain.
    fn default() -> Self {
        Self {
            position: DVec2::NAN,
            depth: f64::NAN,
            distance: f64::INFINITY,
            world: DVec3::NAN,
            camera: DVec3::NAN,
            is_visible: false,
            confidence: 1.0,
        }
    }
}

impl PointState {
    /// 1/z, 0 for the environment.
    pub fn inverse_depth(&self) -> f64 {
        1.0 / self.depth
    }
}

/// See the module text.
#[derive(Debug, Clone)]
pub struct FrameView {
    pub(super) geometry: PosedGeometry,
    projection: Projection,
    resolution: [u32; 2],
}

impl FrameView {
    /// Frame `frame` of the Shot of `geometry`, which has a camera, through its first.
    pub fn new(geometry: &ShotGeometry, frame: i64) -> Self {
        let shot = geometry.shot();
        Self {
            geometry: geometry.at(frame),
            projection: Projection::of(&shot.cameras[0], frame, shot.resolution),
            resolution: shot.resolution,
        }
    }

    /// Width and height, pixels.
    pub fn resolution(&self) -> [u32; 2] {
        self.resolution
    }

    /// Where the camera is, world.
    pub fn origin(&self) -> DVec3 {
        self.projection.world_from_camera.w_axis.truncate()
    }

    /// The point of `surface` that is seen at `position`: for the environment, that direction.
    pub fn point(&self, surface: SurfacePoint, position: DVec2) -> TrackedPoint {
        if surface.instance == 0 {
            let direction = self.projection.direction_in_world(position);
            TrackedPoint::Direction(direction.normalize_or(DVec3::NEG_Z))
        } else {
            TrackedPoint::Surface(surface)
        }
    }

    /// Where `point` is in this frame. Nothing is said about its visibility: `is_visible` is false.
    pub fn state(&self, point: &TrackedPoint) -> PointState {
        let nowhere = PointState::default();
        match point {
            TrackedPoint::Direction(direction) => {
                match self.projection.pixel_from_world(self.origin() + *direction) {
                    Some((position, _)) => PointState {
                        position,
                        depth: f64::INFINITY,
                        ..nowhere
                    },
                    None => nowhere,
                }
            }
            TrackedPoint::Surface(surface) => {
                let Some(world) = self.geometry.world_position(surface) else {
                    return nowhere;
                };
                let camera = self.projection.camera_from_world.transform_point3(world);
                let state = PointState {
                    distance: world.distance(self.origin()),
                    world,
                    camera: DVec3::new(camera.x, -camera.y, -camera.z),
                    ..nowhere
                };
                match self.projection.pixel_from_world(world) {
                    Some((position, depth)) => PointState {
                        position,
                        depth,
                        ..state
                    },
                    None => state,
                }
            }
        }
    }

    /// Is this position in the picture? NaN is not.
    pub fn is_inside(&self, position: DVec2) -> bool {
        let [width, height] = self.resolution.map(f64::from);
        position.x >= 0.0 && position.y >= 0.0 && position.x < width && position.y < height
    }
}
