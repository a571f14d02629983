! SPDX-License-Identifier: Apache-2.0
! forms: arrays with bounds, allocatable and assumed, derived types, characters.
module forms
  use iso_c_binding
  implicit none

  type :: point
    integer :: x
    real(8) :: y
  end type point

  type, extends(point) :: named
    character(len=8) :: name
    integer, allocatable :: list(:)
    type(named), pointer :: next => null()
  end type named

  integer, parameter :: fixed = 12
  integer :: in_module = 99
  real :: table(2, 3)

  interface
    subroutine stop_at(place) bind(c, name="stop")
      import :: c_int
      integer(c_int), value :: place
    end subroutine stop_at
    subroutine keep(thing) bind(c, name="keep")
      import :: c_ptr
      type(c_ptr), value :: thing
    end subroutine keep
  end interface

contains

  subroutine scalars(i, r, d, l, c, z, n)
    integer, intent(in) :: i
    real, intent(in) :: r
    real(8), intent(in) :: d
    logical, intent(in) :: l
    character(len=*), intent(in) :: c
    complex, intent(in) :: z
    integer, value :: n
    integer(1), target :: i1 = -8
    integer(2), target :: i2 = 300
    integer(8), target :: i8 = 1234567890123_8
    logical(1), target :: l1 = .false.
    complex(8), target :: z8 = (1.5d0, -2.5d0)
    character(len=5), target :: text = "five"
    character(len=1), target :: one = "x"
    real(16), target :: q = 0.1_16
    call stop_at(1)
    call keep(c_loc(i1))
    call keep(c_loc(i2))
    call keep(c_loc(i8))
    call keep(c_loc(l1))
    call keep(c_loc(z8))
    call keep(c_loc(text))
    call keep(c_loc(one))
    call keep(c_loc(q))
    in_module = in_module + i + int(r) + int(d) + n + len(c) + int(real(z))
    if (l) in_module = in_module + 1
  end subroutine scalars

  subroutine arrays(given, assumed, size, explicit)
    integer, intent(in) :: given(3)
    integer, intent(in) :: assumed(:)
    integer, intent(in) :: size
    real, intent(in) :: explicit(size, 2)
    integer, target :: bounds(-2:2)
    integer, target :: matrix(2, 3)
    integer, target :: cube(2, 2, 2)
    real, allocatable, target :: heap(:), none(:)
    real, pointer :: view(:), unset(:)
    character(len=4), target :: words(2)
    logical, target :: flags(3)
    integer :: k
    bounds = [(k, k = 1, 5)]
    matrix = reshape([1, 2, 3, 4, 5, 6], [2, 3])
    cube = reshape([(k, k = 1, 8)], [2, 2, 2])
    allocate(heap(4))
    heap = [1.0, 2.0, 3.0, 4.0]
    view => heap(2:4:2)
    nullify(unset)
    words = ["one ", "two "]
    flags = [.true., .false., .true.]
    call stop_at(2)
    call keep(c_loc(bounds))
    call keep(c_loc(matrix))
    call keep(c_loc(cube))
    call keep(c_loc(heap))
    call keep(c_loc(words))
    call keep(c_loc(flags))
    in_module = in_module + given(1) + assumed(1) + int(explicit(1, 1))
    in_module = in_module + int(view(1))
  end subroutine arrays

  recursive subroutine derived(p, n, depth)
    type(point), intent(in) :: p
    type(named), intent(in), target :: n
    integer, intent(in) :: depth
    type(point), target :: points(2)
    integer :: common_a, common_b(2)
    common /shared/ common_a, common_b
    common_a = 5
    common_b = [6, 7]
    points(1) = p
    points(2) = point(3, 4.5d0)
    if (depth > 0) then
      call derived(p, n, depth - 1)
    else
      call stop_at(3)
    end if
    call keep(c_loc(points))
    in_module = in_module + n%x + common_a
  end subroutine derived
end module forms

program main
  use forms
  implicit none
  type(point) :: p = point(1, 2.5d0)
  type(named), target :: n
  integer :: list(4) = [1, 2, 3, 4]
  real :: square(2, 2) = reshape([1.0, 2.0, 3.0, 4.0], [2, 2])
  n%x = 7
  n%y = 8.5d0
  n%name = "named"
  allocate(n%list(2))
  n%list = [10, 20]
  n%next => n
  call scalars(1, 2.5, 3.5d0, .true., "a text", (1.0, 2.0), 4)
  call arrays(list(1:3), list(2:4), 2, square)
  call derived(p, n, 2)
end program main
