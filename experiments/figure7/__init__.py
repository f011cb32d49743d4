"""Figure 7 of the source paper again: JSON against protobuf against ours, end to end over a limited link."""
