// SPDX-License-Identifier: Apache-2.0
// rusty: enums with data, options, vectors, strings, boxes, maps, slices.
#![allow(dead_code)]
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::rc::Rc;
use std::sync::{Arc, Mutex};

extern "C" {
    fn stop(place: i32);
    fn keep(thing: *const u8);
}

fn hold<T>(thing: &T) {
    unsafe { keep(thing as *const T as *const u8) }
}

struct Point {
    x: i32,
    y: f64,
}

struct Wrapper(u8, char);
struct Unit;

enum Shape {
    Nothing,
    Circle(f32),
    Rect { w: u16, h: u16 },
    Boxed(Box<Point>),
}

#[repr(u8)]
enum Plain {
    One = 1,
    Nine = 9,
}

trait Speaks {
    fn speak(&self) -> u32;
}

impl Speaks for Point {
    fn speak(&self) -> u32 {
        self.x as u32
    }
}

union Either {
    i: u32,
    f: f32,
}

#[inline(never)]
fn scalars(a: i8, b: u64, c: bool, d: char, e: f32, f: i128, g: usize) -> u64 {
    let unit = ();
    let tuple = (a, "text", 2.5f64);
    let array = [1u16, 2, 3, 4];
    let nested = [[1u8, 2], [3, 4]];
    let same = [7i32; 20];
    let wrapper = Wrapper(5, '\u{20ac}');
    let none = Unit;
    unsafe { stop(1) }
    hold(&unit);
    hold(&tuple);
    hold(&array);
    hold(&nested);
    hold(&same);
    hold(&wrapper);
    hold(&none);
    b + c as u64 + d as u64 + e as u64 + f as u64 + g as u64
}

#[inline(never)]
fn enums(shape: Shape, o: Option<u32>, r: Result<i32, String>) -> u32 {
    let nothing = Shape::Nothing;
    let rect = Shape::Rect { w: 3, h: 4 };
    let boxed = Shape::Boxed(Box::new(Point { x: 1, y: 0.5 }));
    let plain = Plain::Nine;
    let none: Option<u32> = None;
    let some_box: Option<Box<i32>> = Some(Box::new(5));
    let no_box: Option<Box<i32>> = None;
    let some_ref: Option<&u32> = o.as_ref();
    let error: Result<i32, String> = Err("wrong".to_string());
    let nested: Option<Option<bool>> = Some(None);
    let either = Either { f: 1.5 };
    unsafe { stop(2) }
    hold(&nothing);
    hold(&rect);
    hold(&boxed);
    hold(&plain);
    hold(&none);
    hold(&some_box);
    hold(&no_box);
    hold(&some_ref);
    hold(&error);
    hold(&nested);
    hold(&either);
    hold(&r);
    match shape {
        Shape::Circle(c) => c as u32,
        _ => o.unwrap_or(0),
    }
}

#[inline(never)]
fn heaps(v: Vec<i32>, s: String, t: &str, slice: &[u16], d: &dyn Speaks) -> usize {
    let empty: Vec<String> = Vec::new();
    let strings = vec!["one".to_string(), "two".to_string()];
    let points = vec![Point { x: 1, y: 2.0 }, Point { x: 3, y: 4.0 }];
    let boxed = Box::new(Point { x: 5, y: 6.0 });
    let slice_box: Box<[i32]> = vec![1, 2, 3].into_boxed_slice();
    let trait_box: Box<dyn Speaks> = Box::new(Point { x: 7, y: 8.0 });
    let rc = Rc::new(9);
    let second = rc.clone();
    let weak = Rc::downgrade(&rc);
    let arc = Arc::new(Mutex::new(10));
    let cell = Cell::new(11);
    let ref_cell = RefCell::new(vec![12]);
    let mut map: HashMap<u32, u32> = HashMap::new();
    map.insert(1, 2);
    let mut tree = BTreeMap::new();
    tree.insert("key", 3);
    let mut set = HashSet::new();
    set.insert(4u8);
    let mut deque = VecDeque::new();
    deque.push_back(5);
    deque.push_front(6);
    let closure = |n: i32| n + v[0];
    let function: fn(usize) -> usize = deep;
    let raw: *const i32 = &v[0];
    let latin = "caf\u{e9} \u{1f600}";
    unsafe { stop(3) }
    hold(&empty);
    hold(&strings);
    hold(&points);
    hold(&boxed);
    hold(&slice_box);
    hold(&trait_box);
    hold(&second);
    hold(&weak);
    hold(&arc);
    hold(&cell);
    hold(&ref_cell);
    hold(&map);
    hold(&tree);
    hold(&set);
    hold(&deque);
    hold(&closure);
    hold(&function);
    hold(&raw);
    hold(&latin);
    s.len() + t.len() + slice.len() + d.speak() as usize
}

#[inline(never)]
fn deep(n: usize) -> usize {
    let list: Vec<usize> = (0..n).collect();
    let sum: usize = list
        .iter()
        .map(|each| {
            let twice = each * 2;
            if twice == 4 {
                unsafe { stop(4) }
            }
            twice
        })
        .sum();
    hold(&list);
    sum
}

fn main() {
    let p = Point { x: 1, y: 2.0 };
    scalars(-5, 1 << 40, true, 'x', 1.5, -1 << 100, 7);
    enums(Shape::Circle(2.5), Some(3), Ok(-4));
    heaps(vec![1, 2, 3], "owned".to_string(), "borrowed", &[1, 2], &p);
    std::process::exit(deep(5) as i32);
}
