//! Scenes of squares for tests of tracking, traced analytically in f64: no renderer is asked.

use std::sync::Arc;

use diorama_assets::{InMemoryAssets, Mesh, Model};
use diorama_synth::frame::{Frame, Labels, Plane, Sight, SurfacePoint, WorldImage};
use diorama_synth::geometry::ShotGeometry;
use diorama_synth::shot::{Object, Pose, Role, Shot, Track, WorldSet};
use glam::{DVec2, DVec3, Quat, Vec2, Vec3};

use crate::camera::{Projection, world_from_local};
use crate::testing;
use crate::tracking::SurfaceVisibility;

/// A Shot without objects whose camera stands at the origin and looks along +Y, right is +X.
pub(crate) fn empty(resolution: [u32; 2], frames: u32) -> Shot {
    let mut shot = testing::one_tuple_shot();
    shot.objects.clear();
    shot.contacts.clear();
    shot.worlds.truncate(1);
    if let Some(first) = shot.assets.first_mut() {
        first.id = "square".into();
    }
    shot.assets.truncate(1);
    shot.environment.asset = None;
    shot.resolution = resolution;
    shot.frame_count = frames;
    shot.cameras[0].pose = Track::Constant(camera(0.0, 0.0));
    shot
}

/// A camera at (x, y, 0) that looks along +Y.
pub(crate) fn camera(x: f32, y: f32) -> Pose {
    Pose {
        position: Vec3::new(x, y, 0.0),
        rotation: Quat::from_rotation_x(std::f32::consts::FRAC_PI_2),
    }
}

/// One value per frame of a clip of `frames`, from −1 to `frames`.
pub(crate) fn per_frame<T>(frames: u32, value: impl Fn(f32) -> T) -> Track<T> {
    Track::PerFrame((-1..=i64::from(frames)).map(|f| value(f as f32)).collect())
}

/// Adds a square of half sides `half` facing the camera at `position` of each frame; returns its id.
pub(crate) fn add(shot: &mut Shot, half: [f32; 2], position: impl Fn(f32) -> Vec3) -> u32 {
    let id = shot.objects.len() as u32 + 1;
    let frames = shot.frame_count;
    shot.objects.push(Object {
        id,
        name: format!("square {id}"),
        asset: "square".into(),
        mesh: 0,
        materials: Vec::new(),
        role: if id == 1 {
            Role::Background
        } else {
            Role::Keep
        },
        noun: "square".into(),
        adjectives: Vec::new(),
        worlds: WorldSet::ALL,
        scale: Vec3::new(half[0], half[1], 1.0),
        pose: per_frame(frames, |frame| Pose {
            position: position(frame),
            rotation: Quat::from_rotation_x(std::f32::consts::FRAC_PI_2),
        }),
        body: None,
        motion: None,
        physics: None,
    });
    id
}

/// The square's mesh: half side 1 in the XY plane.
pub(crate) fn geometry(shot: &Shot) -> ShotGeometry {
    let corners = [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)];
    let mesh = Mesh {
        positions: corners.map(|(x, y)| Vec3::new(x, y, 0.0)).to_vec(),
        triangles: vec![[0, 1, 2], [0, 2, 3]],
        material_of_triangle: vec![0; 2],
        ..Mesh::default()
    };
    let model = Model {
        meshes: vec![mesh.into()],
        ..Model::default()
    };
    let mut assets = InMemoryAssets::default();
    assets.models.insert("square".into(), Arc::new(model));
    ShotGeometry::new(Arc::new(shot.clone()), &assets).unwrap()
}

/// What a ray meets: distance in depths of the camera, the surface point, the point in the world.
fn nearest(shot: &Shot, frame: i64, position: DVec2) -> Option<(f64, SurfacePoint, DVec3)> {
    let projection = Projection::of(&shot.cameras[0], frame, shot.resolution);
    let origin = projection.world_from_camera.w_axis.truncate();
    let direction = projection.direction_in_world(position);
    let mut best: Option<(f64, SurfacePoint, DVec3)> = None;
    for object in &shot.objects {
        let local_from_world = world_from_local(object.pose.at(frame)).inverse();
        let (o, d) = (
            local_from_world.transform_point3(origin),
            local_from_world.transform_vector3(direction),
        );
        let depth = -o.z / d.z;
        let at = (o + d * depth) / object.scale.as_dvec3();
        let is_nearer = best.is_none_or(|(least, ..)| depth < least);
        if !(depth > 0.0 && at.x.abs() <= 1.0 && at.y.abs() <= 1.0 && is_nearer) {
            continue;
        }
        let (a, b) = ((at.x + 1.0) * 0.5, (at.y + 1.0) * 0.5);
        let (primitive, u, v) = if a >= b { (0, a - b, b) } else { (1, a, b - a) };
        let surface = SurfacePoint {
            instance: object.id,
            primitive,
            barycentrics: Vec2::new(u as f32, v as f32),
        };
        best = Some((depth, surface, origin + direction * depth));
    }
    best
}

/// Answers by [`nearest`].
pub(crate) struct Analytic<'a>(pub(crate) &'a Shot);

impl SurfaceVisibility for Analytic<'_> {
    fn surfaces_at(&self, frame: u32, positions: &[DVec2]) -> Vec<SurfacePoint> {
        let at = |p: &DVec2| nearest(self.0, i64::from(frame), *p);
        let surfaces = positions.iter().map(at);
        surfaces
            .map(|hit| hit.map_or_else(SurfacePoint::default, |(_, surface, _)| surface))
            .collect()
    }

    fn are_visible(&self, frame: u32, sights: &[Sight]) -> Vec<bool> {
        let posed = geometry(self.0).at(i64::from(frame));
        let visible = |sight: &Sight| match nearest(self.0, i64::from(frame), sight.position) {
            None => sight.point.instance == 0,
            Some((_, surface, hit)) => posed.world_position(&sight.point).is_some_and(|point| {
                surface.instance == sight.point.instance && point.distance(hit) < 1e-3
            }),
        };
        sights.iter().map(visible).collect()
    }
}

/// Frame `index` with the label passes that tracking reads and a smooth picture.
pub(crate) fn frame(shot: &Shot, index: u32) -> Frame {
    let [width, height] = shot.resolution;
    let plane = |value: f32| Plane::filled(width, height, value);
    let mut labels = Labels {
        instance: Plane::filled(width, height, 0),
        depth: plane(f32::INFINITY),
        distance: plane(f32::INFINITY),
        normal: Plane::filled(width, height, Vec3::ZERO),
        normal_geometric: Plane::filled(width, height, Vec3::ZERO),
        albedo: Plane::filled(width, height, Vec3::ZERO),
        uv: Plane::filled(width, height, Vec2::ZERO),
        surface: Plane::filled(width, height, SurfacePoint::default()),
        flow_forward: Plane::filled(width, height, Vec2::ZERO),
        flow_backward: Plane::filled(width, height, Vec2::ZERO),
        occlusion: Plane::filled(width, height, 0),
        ..Labels::default()
    };
    labels.second.instance = Plane::filled(width, height, 0);
    labels.second.distance = plane(f32::INFINITY);
    labels.second.normal = Plane::filled(width, height, Vec3::ZERO);
    labels.second.surface = Plane::filled(width, height, SurfacePoint::default());
    labels.second.transmittance = Plane::filled(width, height, Vec3::ZERO);
    let mut display = Plane::filled(width, height, [0u8; 3]);
    for row in 0..height {
        for column in 0..width {
            let i = display.index(column, row);
            let position = DVec2::new(f64::from(column) + 0.5, f64::from(row) + 0.5);
            display.data[i] = [(column % 200) as u8, (row % 200) as u8, 60];
            if let Some((depth, surface, _)) = nearest(shot, i64::from(index), position) {
                labels.instance.data[i] = surface.instance;
                labels.depth.data[i] = depth as f32;
                labels.distance.data[i] = depth as f32;
                labels.normal.data[i] = Vec3::NEG_Y;
                labels.surface.data[i] = surface;
                display.data[i][2] = 60 + 40 * surface.instance as u8;
            }
        }
    }
    let objects = shot.objects.len();
    Frame {
        index,
        worlds: vec![WorldImage {
            radiance: Plane::filled(width, height, Vec3::ONE),
            denoised: Plane::default(),
            display,
            touched: Plane::filled(width, height, 0),
        }],
        instance_of_world: vec![labels.instance.clone()],
        second_instance_of_world: vec![Plane::filled(width, height, 0)],
        coverage: Plane::filled(width, height, Vec3::X),
        amodal_pixels: vec![0; objects],
        visible_pixels: vec![0; objects],
        visible_box: vec![None; objects],
        amodal_box: vec![None; objects],
        labels,
        ..Frame::default()
    }
}
