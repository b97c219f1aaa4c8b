use glam::Vec3;
use rayon::prelude::*;
use super::DenoiseInput;
mod planes;
use planes::{Channel, inside, MARGIN};

#[derive(Clone, Debug)]
pub struct Params { pub r1: isize, pub p1: isize, pub k1: f32, pub r2: isize, pub p2: isize, pub k2: f32, pub tol: f32, pub ka: f32, pub kn: f32, pub kz: f32, pub ridge: f32, pub vexp: f32, pub first: bool, pub two: bool, pub v1s: f32, pub ff: f32, pub demod: f32 }
impl Default for Params { fn default() -> Self { Self { r1: 4, p1: 3, k1: 0.6, r2: 7, p2: 1, k2: 1.2, tol: 0.03, ka: 0.05, kn: 0.05, kz: 0.02, ridge: 2.0, vexp: 1.0, first: true, two: true , v1s: 1.0, ff: 4.0, demod: 0.1} } }

pub fn denoise(input: &DenoiseInput) -> Vec<Vec3> { denoise_with(input, &Params::default()) }

struct Guide { c: [Channel;3], v: [Channel;3] }
struct Feat { a: [Channel;3], n: [Channel;3], z: Channel, ga: Channel, gn: Channel, gz: Channel }

const TW: usize = 64; const TH: usize = 16;

fn vec_channels(w: usize, h: usize, d: &[Vec3]) -> [Channel;3] { std::array::from_fn(|k| Channel::new(w,h,|i| d[i][k])) }

fn box_mean(w: usize, h: usize, d: &[Vec3], r: isize) -> Vec<Vec3> {
    let ch = vec_channels(w,h,d);
    let n = 1.0/((2*r+1)*(2*r+1)) as f32;
    (0..w*h).into_par_iter().map(|i| { let (x,y)=((i%w) as isize,(i/w) as isize); let mut s=Vec3::ZERO;
        for dy in -r..=r { for k in 0..3 { for v in ch[k].row(x-r,y+dy,(2*r+1) as usize) { s[k]+=v; } } } s*n }).collect()
}

/// exp(-x) for x>=0, to 0 at 6
#[inline(always)] fn falloff(x: f32) -> f32 { let t=(1.0-x*(1.0/8.0)).max(0.0); let t=t*t; let t=t*t; t*t }

struct Scratch { e: Vec<f32>, hsum: Vec<f32> }

fn color_weights(g: &Guide, x0: usize, y0: usize, tw: usize, th: usize, dx: isize, dy: isize, pr: isize, k2: f32, tol2: f32, s: &mut Scratch, out: &mut [f32]) {
    let ew = tw + 2*pr as usize; let eh = th + 2*pr as usize;
    for yy in 0..eh {
        let y = y0 as isize + yy as isize - pr; let x = x0 as isize - pr;
        let e = &mut s.e[..ew]; e.fill(0.0);
        for k in 0..3 {
            let a=g.c[k].row(x,y,ew); let b=g.c[k].row(x+dx,y+dy,ew); let va=g.v[k].row(x,y,ew); let vb=g.v[k].row(x+dx,y+dy,ew);
            for i in 0..ew { let d=a[i]-b[i]; let m=a[i]+b[i]; let vs=va[i]+vb[i];
                let num=d*d-(va[i]+va[i].min(vb[i])); let den=k2*vs+tol2*m*m+1e-12; e[i]+=num/den; }
        }
        let h=&mut s.hsum[yy*tw..(yy+1)*tw];
        h.copy_from_slice(&e[..tw]);
        for o in 1..=2*pr as usize { for i in 0..tw { h[i]+=e[i+o]; } }
    }
    let n = 1.0/(3*(2*pr+1)*(2*pr+1)) as f32;
    for yy in 0..th {
        let o=&mut out[yy*tw..(yy+1)*tw];
        o.fill(0.0);
        for r in 0..=2*pr as usize { let h=&s.hsum[(yy+r)*tw..(yy+r+1)*tw]; for i in 0..tw { o[i]+=h[i]; } }
        for i in 0..tw { o[i]=falloff((o[i]*n).max(0.0)); }
    }
}
fn feature_weights(f: &Feat, ins: &Channel, x0: usize, y0: usize, tw: usize, th: usize, dx: isize, dy: isize, out: &mut [f32], alb: bool) {
    let sa=if alb {1.0f32} else {0.0}; for yy in 0..th { let (x,y)=(x0 as isize,(y0+yy) as isize);
        let o=&mut out[yy*tw..(yy+1)*tw];
                let (a0,b0)=two(&f.a[0],x,y,dx,dy,tw); let (a1,b1)=two(&f.a[1],x,y,dx,dy,tw); let (a2,b2)=two(&f.a[2],x,y,dx,dy,tw);
        let (n0,m0)=two(&f.n[0],x,y,dx,dy,tw); let (n1,m1)=two(&f.n[1],x,y,dx,dy,tw); let (n2,m2)=two(&f.n[2],x,y,dx,dy,tw);
        let (z0,z1)=two(&f.z,x,y,dx,dy,tw); let ga=f.ga.row(x,y,tw); let gn=f.gn.row(x,y,tw); let gz=f.gz.row(x,y,tw); let v=ins.row(x+dx,y+dy,tw);
        for i in 0..tw {
            let d=|p:f32,q:f32| (p-q)*(p-q);
            let da=(d(a0[i],b0[i])+d(a1[i],b1[i])+d(a2[i],b2[i]))*ga[i];
            let dn=(d(n0[i],m0[i])+d(n1[i],m1[i])+d(n2[i],m2[i]))*gn[i];
            let dz=d(z0[i],z1[i])*gz[i];
            o[i]*=falloff((da*sa).max(dn).max(dz))*v[i];
        } }
}
fn two<'a>(c:&'a Channel,x:isize,y:isize,dx:isize,dy:isize,tw:usize)->(&'a [f32],&'a [f32]) {(c.row(x,y,tw),c.row(x+dx,y+dy,tw))}

/// Per pixel: largest squared difference over the direct neighbours
fn inv_norm(w: usize, h: usize, ch: &[&Channel], floor2: f32) -> Channel {
    let c0=ch[0];
    Channel::new(w,h,|i| { let (x,y)=((i%w) as isize,(i/w) as isize); let mut g=0.0f32;
        for c in ch { let p=c.data[c0.index(x,y)]; let gx=[(1,0),(-1,0)].iter().map(|&(dx,dy)| (c.data[c.index(x+dx,y+dy)]-p).abs()).fold(f32::INFINITY,f32::min); let gy=[(0,1),(0,-1)].iter().map(|&(dx,dy)| (c.data[c.index(x+dx,y+dy)]-p).abs()).fold(f32::INFINITY,f32::min); g+=gx*gx+gy*gy; }
        1.0/(floor2+4.0*g) })
}

fn tiles(w: usize, h: usize) -> Vec<(usize,usize,usize,usize)> { let mut t=vec![]; let mut y=0; while y<h { let th=TH.min(h-y); let mut x=0; while x<w { let tw=TW.min(w-x); t.push((x,y,tw,th)); x+=tw; } y+=th; } t }

pub fn denoise_with(input: &DenoiseInput, p: &Params) -> Vec<Vec3> {
    let (w,h)=(input.width,input.height);
    let mut color: Vec<Vec3> = input.color.to_vec();
    let ins=inside(w,h);
    // fireflies
    if p.ff>0.0 {
      let ch=vec_channels(w,h,input.color);
      color=(0..w*h).into_par_iter().map(|i| { let (x,y)=((i%w) as isize,(i/w) as isize); let c=input.color[i]; let m=c.max_element(); let sd=input.variance[i].max_element().sqrt();
        if m<=0.0 || sd<0.25*m { return c }
        let mut s=0.0;let mut s2=0.0; let mut n=0.0;
        for dy in -2..=2isize { for dx in -2..=2isize { if dx==0&&dy==0 {continue} let j=ch[0].index(x+dx,y+dy); let v=ch[0].data[j].max(ch[1].data[j]).max(ch[2].data[j]); s+=v; s2+=v*v; n+=1.0; } }
        let mean=s/n; let std=(s2/n-mean*mean).max(0.0f32).sqrt(); let lim=mean+p.ff*std.max(0.3*mean);
        if m>lim { c*(lim/m) } else { c } }).collect();
    }
    // variance prefilter
    let sq: Vec<Vec3> = input.variance.iter().map(|v| v.map(|x| libm::powf(x.max(0.0),p.vexp))).collect();
    let sm=box_mean(w,h,&sq,2);
    let var: Vec<Vec3> = sm.iter().map(|v| v.map(|x| libm::powf(x,1.0/p.vexp))).collect();
    let medz={ let mut z:Vec<f32>=input.depth.iter().copied().filter(|z| z.is_finite()&&*z>0.0).collect(); z.sort_by(f32::total_cmp); if z.is_empty(){1.0}else{z[z.len()/2]} };
    let a=vec_channels(w,h,input.albedo); let n=vec_channels(w,h,input.normal); let z=Channel::new(w,h,|i| { let d=input.depth[i]; if d.is_finite()&&d>0.0 { d/(d+medz) } else {1.0} });
    let ga=inv_norm(w,h,&[&a[0],&a[1],&a[2]],p.ka*p.ka); let gn=inv_norm(w,h,&[&n[0],&n[1],&n[2]],p.kn*p.kn); let gz=inv_norm(w,h,&[&z],p.kz*p.kz);
    let f=Feat{a,n,z,ga,gn,gz};
    let g=Guide{c:vec_channels(w,h,&color),v:vec_channels(w,h,&var)};
    // pass 1
    let ts=tiles(w,h);
    let (pilot,pvar)=run_zero(&g,&g,&f,&ins,&ts,w,h,p.r1,p.p1,p.k1,p.tol);
    if !p.two { return pilot }
    let pv: Vec<Vec3>=pvar.iter().map(|v| *v*p.v1s).collect();
    let g2=Guide{c:vec_channels(w,h,&pilot),v:vec_channels(w,h,&pv)};
    let gd = if p.demod>0.0 { let al=|i:usize| input.albedo[i].max(Vec3::splat(p.demod)); let dc:Vec<Vec3>=pilot.iter().enumerate().map(|(i,c)| *c/al(i)).collect(); let dv:Vec<Vec3>=pv.iter().enumerate().map(|(i,c)| *c/(al(i)*al(i))).collect(); Some(Guide{c:vec_channels(w,h,&dc),v:vec_channels(w,h,&dv)}) } else {None};
    if p.first { run_first(&g2,gd.as_ref(),&g,&f,&ins,&ts,w,h,p) } else { run_zero(&g2,&g,&f,&ins,&ts,w,h,p.r2,p.p2,p.k2,p.tol).0 }
}
fn gather(ts:&[(usize,usize,usize,usize)], parts: Vec<Vec<Vec3>>, w: usize, h: usize)->Vec<Vec3>{ let mut o=vec![Vec3::ZERO;w*h]; for (t,p) in ts.iter().zip(parts) { for yy in 0..t.3 { o[(t.1+yy)*w+t.0..][..t.2].copy_from_slice(&p[yy*t.2..(yy+1)*t.2]); } } o }
fn run_zero(g:&Guide, src:&Guide, f:&Feat, ins:&Channel, ts:&[(usize,usize,usize,usize)], w:usize,h:usize, r:isize, pr:isize, k:f32, tol:f32)->(Vec<Vec3>,Vec<Vec3>){
    let parts: Vec<(Vec<Vec3>,Vec<Vec3>)>=ts.par_iter().map(|&(x0,y0,tw,th)| {
        let mut s=Scratch{e:vec![0.0;TW+2*MARGIN],hsum:vec![0.0;(TH+2*MARGIN)*TW]};
        let n=tw*th; let mut wt=vec![0.0f32;n]; let mut acc=vec![0.0f32;7*n];
        for dy in -r..=r { for dx in -r..=r {
            if dx==0&&dy==0 { wt.fill(1.0) } else {
            color_weights(g,x0,y0,tw,th,dx,dy,pr,k*k,tol*tol,&mut s,&mut wt);
            feature_weights(f,ins,x0,y0,tw,th,dx,dy,&mut wt,true); }
            for yy in 0..th { let rw=&wt[yy*tw..(yy+1)*tw]; let (x,y)=(x0 as isize+dx,(y0+yy) as isize+dy);
                let a=&mut acc[yy*tw..(yy+1)*tw]; for i in 0..tw { a[i]+=rw[i]; }
                for k in 0..3 { let c=src.c[k].row(x,y,tw); let v=src.v[k].row(x,y,tw);
                    let a=&mut acc[(1+k)*n+yy*tw..][..tw]; for i in 0..tw { a[i]+=rw[i]*c[i]; }
                    let a=&mut acc[(4+k)*n+yy*tw..][..tw]; for i in 0..tw { a[i]+=rw[i]*rw[i]*v[i]; } } }
        } }
        ((0..n).map(|i| Vec3::new(acc[n+i],acc[2*n+i],acc[3*n+i])/acc[i]).collect(), (0..n).map(|i| Vec3::new(acc[4*n+i],acc[5*n+i],acc[6*n+i])/(acc[i]*acc[i])).collect())
    }).collect();
    let (a,b)=parts.into_iter().unzip(); (gather(ts,a,w,h),gather(ts,b,w,h))
}
const NF: usize=8; const NA: usize=NF*(NF+1)/2; const L: usize=8;
fn run_first(g:&Guide, gd:Option<&Guide>, src:&Guide, f:&Feat, ins:&Channel, ts:&[(usize,usize,usize,usize)], w:usize,h:usize, p:&Params)->Vec<Vec3>{
    let r=p.r2; let nw=(2*r+1)*(2*r+1); let nw=nw as usize;
    let parts: Vec<Vec<Vec3>>=ts.par_iter().map(|&(x0,y0,tw,th)| {
        let mut s=Scratch{e:vec![0.0;TW+2*MARGIN],hsum:vec![0.0;(TH+2*MARGIN)*TW]};
        let n=tw*th; let mut ws=vec![0.0f32;nw*n+L]; let mut wd=vec![0.0f32;n];
        let mut o=0; for dy in -r..=r { for dx in -r..=r { let wt=&mut ws[o*n..(o+1)*n]; o+=1;
            if dx==0&&dy==0 { wt.fill(1.0) } else {
            color_weights(g,x0,y0,tw,th,dx,dy,p.p2,p.k2*p.k2,p.tol*p.tol,&mut s,wt);
            feature_weights(f,ins,x0,y0,tw,th,dx,dy,wt,true);
            if let Some(gd)=gd { color_weights(gd,x0,y0,tw,th,dx,dy,p.p2,p.k2*p.k2,p.tol*p.tol,&mut s,&mut wd);
              feature_weights(f,ins,x0,y0,tw,th,dx,dy,&mut wd,false); for (a,b) in wt.iter_mut().zip(&wd) { *a=a.max(*b); } } } } }
        let mut out=vec![Vec3::ZERO;n];
        for yy in 0..th { let mut xx=0; while xx<tw {
            let lanes=L.min(tw-xx);
            let mut a=[[0.0f32;L];NA]; let mut b=[[0.0f32;L];NF*3];
            let (x,y)=((x0+xx) as isize,(y0+yy) as isize);
            let chans:[&Channel;7]=[&f.a[0],&f.a[1],&f.a[2],&f.n[0],&f.n[1],&f.n[2],&f.z];
            let cen:[[f32;L];7]=std::array::from_fn(|k| chans[k].row(x,y,L).try_into().unwrap());
            let base=chans[0].index(x,y) as isize; let stride=chans[0].stride as isize;
            let mut o=0;
            for dy in -r..=r { for dx in -r..=r {
                let wv: &[f32;L]=ws[o*n+yy*tw+xx..][..L].try_into().unwrap(); o+=1;
                let mut any=0.0; for i in 0..lanes { any+=wv[i]; } if any==0.0 { continue }
                let j=(base+dy*stride+dx) as usize;
                let mut xs=[[0.0f32;L];NF]; xs[0]=[1.0;L];
                for k in 0..7 { let q:&[f32;L]=chans[k].data[j..j+L].try_into().unwrap(); for i in 0..L { xs[k+1][i]=q[i]-cen[k][i]; } }
                let mut t=0;
                for u in 0..NF { let mut wx=[0.0f32;L]; for i in 0..L { wx[i]=wv[i]*xs[u][i]; }
                    for v in 0..=u { for i in 0..L { a[t][i]+=wx[i]*xs[v][i]; } t+=1; }
                    for c in 0..3 { let q:&[f32;L]=src.c[c].data[j..j+L].try_into().unwrap(); for i in 0..L { b[u*3+c][i]+=wx[i]*q[i]; } } }
            } }
            // solve per lane
            for i in 0..lanes {
                let mean=Vec3::new(b[0][i],b[1][i],b[2][i])/a[0][i];
                // noise relative
                let j=base as usize+i; let vv=src.v[0].data[j]+src.v[1].data[j]+src.v[2].data[j]; let m2=mean.dot(mean).max(1e-20); let lam=(vv/m2).min(10.0)/(p.ridge*p.ridge);
                let mut l=[[0.0f64;NF];NF]; let mut t=0; let mut ok=true;
                for u in 0..NF { for v in 0..=u { let mut x=a[t][i] as f64; t+=1; if u==v && u>0 { x+=lam as f64*if u<7 {1.0} else {0.05}+1e-6; }
                    for k in 0..v { x-=l[u][k]*l[v][k]; }
                    if u==v { if x<=1e-12 { ok=false; l[u][u]=1.0; } else { l[u][u]=x.sqrt(); } } else { l[u][v]=x/l[v][v]; } } }
                if !ok { out[yy*tw+xx+i]=mean; continue }
                let mut res=Vec3::ZERO;
                // want first component of A^-1 b: solve L y = e0 once -> z = A^-1 e0, result = z·b
                let mut yv=[0.0f64;NF]; for u in 0..NF { let mut x=if u==0 {1.0} else {0.0}; for k in 0..u { x-=l[u][k]*yv[k]; } yv[u]=x/l[u][u]; }
                let mut zv=[0.0f64;NF]; for u in (0..NF).rev() { let mut x=yv[u]; for k in u+1..NF { x-=l[k][u]*zv[k]; } zv[u]=x/l[u][u]; }
                for c in 0..3 { let mut x=0.0; for u in 0..NF { x+=zv[u]*b[u*3+c][i] as f64; } res[c]=x as f32; }
                out[yy*tw+xx+i]=res.max(Vec3::ZERO);
            }
            xx+=lanes; } }
        out }).collect();
    gather(ts,parts,w,h)
}
