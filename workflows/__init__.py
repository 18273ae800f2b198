"""The roof: the subgrid command and one readable function per stage; the only place that joins the wings."""
